//! Where modules come from: wasm-smith for everything, or our own generator for what moves
//! references.

pub mod directed;
pub mod smith;
