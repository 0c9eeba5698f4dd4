//! Layout of objects in the GC heap.
//!
//! ```text
//!  reference = u32 offset from the heap base; 0 is null; low bit 1 is an i31
//!
//!  object      0        4        8
//!              +--------+--------+----- ..
//!              | type   | gc     | fields, 8-byte aligned as a whole
//!              +--------+--------+----- ..
//!  host object 0        4        8        12
//!              +--------+--------+--------+--------+
//!              | EXTERN | gc     | row    | 0      |
//!              +--------+--------+--------+--------+
//!  exception   0        4        8        12
//!              +--------+--------+--------+--------+----- ..
//!              | EXN    | gc     | tag    | shape  | payload, see `exception`
//!              +--------+--------+--------+--------+----- ..
//! ```
//!
//! `type` is an engine type id or a reserved one below; `gc` belongs to the collector (mark,
//! forwarding); `row` is a position in the store's host table, where the payload lives: never in
//! memory that a guest could reach.

/// The `type` word of a host object: no Wasm type can have it, so no guest object can pass for one.
pub(crate) const TYPE_EXTERN: u32 = u32::MAX;

/// The `type` word of an exception: no Wasm type can have it either.
pub(crate) const TYPE_EXN: u32 = u32::MAX - 1;

/// Offset of the `type` word.
pub(crate) const HEADER_TYPE: u32 = 0;
/// Offset of the collector's word.
pub(crate) const HEADER_GC: u32 = 4;
/// Every object starts and ends at a multiple of this.
pub(crate) const OBJECT_ALIGN: u32 = 8;

/// Offset of a host object's row number.
pub(crate) const EXTERN_ROW: u32 = 8;
/// Size of a host object in bytes.
pub(crate) const EXTERN_SIZE: u32 = 16;

/// Offset of the position of an exception's tag in the store.
pub(crate) const EXN_TAG: u32 = 8;
/// Offset of the word that gives an exception's size and number of references.
pub(crate) const EXN_SHAPE: u32 = 12;
/// Offset of an exception's payload.
pub(crate) const EXN_FIELDS: u32 = 16;

/// The first bytes of the heap are never mapped: dereferencing null faults.
pub(crate) const NULL_GUARD: u32 = 64 << 10;

/// The bit that tells an i31 from an offset.
pub(crate) const I31_TAG: u32 = 1;
