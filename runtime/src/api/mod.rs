//! The public handles. Safe code, but for the files that enter Wasm or are entered by it
//! (`func/enter.rs`, `func/shim.rs`).

mod backtrace;
pub(crate) mod caller;
mod command;
pub(crate) mod convert;
mod display;
pub(crate) mod engine;
pub(crate) mod entity_types;
pub(crate) mod exception;
pub(crate) mod externs;
pub(crate) mod func;
pub(crate) mod gc_field;
pub(crate) mod gc_object;
pub(crate) mod gc_types;
pub(crate) mod global;
#[allow(unsafe_code, reason = "sees a store without the type of its data")]
pub(crate) mod host_cx;
pub(crate) mod instance;
pub(crate) mod linker;
pub(crate) mod linking;
pub(crate) mod memory;
pub(crate) mod module;
pub(crate) mod object;
pub(crate) mod precompiled;
#[allow(unsafe_code, reason = "declares the unchecked functions of the API")]
pub(crate) mod raw;
pub(crate) mod rec_group;
pub(crate) mod refs;
pub(crate) mod shared_memory;
pub(crate) mod signature;
pub(crate) mod store;
pub(crate) mod store_limits;
pub(crate) mod table;
pub(crate) mod tag;
pub(crate) mod types;
pub(crate) mod unknown_imports;
pub(crate) mod v128;
pub(crate) mod value;
pub(crate) mod value_types;
