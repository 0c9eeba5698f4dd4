//! Where modules come from: wasm-smith for everything at once, or our own generators for operators
//! on numbers and for what moves references.

pub mod arithmetic;
pub mod directed;
pub mod smith;

use crate::plan::Plan;

/// A module and what is done with it.
pub struct Generated {
    pub wasm: Vec<u8>,
    pub plan: Plan,
}
