//! The derive macros, one file each.

pub(crate) mod wasm_ty;
