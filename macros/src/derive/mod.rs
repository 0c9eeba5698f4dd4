//! The derive macros, one file each.

pub(crate) mod host_object;
pub(crate) mod wasm_ty;
