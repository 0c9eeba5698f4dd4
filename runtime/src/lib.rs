//! hostref.
#![deny(unsafe_code)]
mod abi;
mod compile;
mod error;
mod trap;
mod wasm;
pub use error::{Error, Result};
pub use trap::Trap;
