//! The derive macros, one file each.

mod gc;
pub(crate) mod gc_array;
pub(crate) mod gc_struct;
pub(crate) mod host_object;
pub(crate) mod wasm_ty;
