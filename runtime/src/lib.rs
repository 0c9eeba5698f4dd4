//! hostref.
#![deny(unsafe_code)]
mod abi;
mod code;
mod compile;
mod error;
mod gc;
mod trap;
#[allow(unsafe_code, reason = "the layer that compiled code touches")]
mod vm;
mod wasm;
pub use error::{Error, Result};
pub use trap::Trap;
pub use vm::value::ValRaw;
