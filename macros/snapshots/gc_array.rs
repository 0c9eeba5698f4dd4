//! An array whose elements may change.

/// Bytes.
#[derive(GcArray)]
#[gc(mut)]
pub struct Bytes(Vec<u8>);
