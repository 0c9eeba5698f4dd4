//! State behind the handles: the store below `T`, its instances and definitions, and the way into
//! Wasm. Knows neither the embedder's data type nor how code is generated.

pub(crate) mod backtrace;
pub(crate) mod call;
pub(crate) mod const_eval;
pub(crate) mod definition;
pub(crate) mod engine;
pub(crate) mod host_func;
pub(crate) mod instantiate;
pub(crate) mod module;
pub(crate) mod segments;
pub(crate) mod store;
pub(crate) mod vmctx;
