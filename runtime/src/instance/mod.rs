//! State behind the handles: the store below `T`, its instances and definitions, and the way into
//! Wasm. Knows neither the embedder's data type nor how code is generated.

pub(crate) mod backtrace;
#[allow(unsafe_code, reason = "enters Wasm and walks its stack")]
pub(crate) mod call;
pub(crate) mod const_eval;
#[allow(unsafe_code, reason = "reads and writes definitions by address")]
pub(crate) mod definition;
pub(crate) mod engine;
pub(crate) mod exception;
#[allow(unsafe_code, reason = "says which thread may own what stands in the place of a vmctx")]
pub(crate) mod host_func;
mod initial_data;
pub(crate) mod instantiate;
pub(crate) mod limiter;
#[allow(unsafe_code, reason = "copies the content of memories that other threads write")]
pub(crate) mod memory;
pub(crate) mod module;
pub(crate) mod object_types;
mod objects;
pub(crate) mod parking;
pub(crate) mod segments;
pub(crate) mod serialized;
pub(crate) mod shared_memory;
pub(crate) mod store;
#[allow(unsafe_code, reason = "the elements of tables, which compiled code writes")]
pub(crate) mod table;
#[allow(unsafe_code, reason = "fills the memory that compiled code reads")]
pub(crate) mod vmctx;
