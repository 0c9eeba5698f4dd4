//! hostref.
#![deny(unsafe_code)]
mod abi;
mod error;
mod gc;
mod trap;
mod wasm;
pub use error::{Error, Result};
pub use trap::Trap;
