//! The decoded module: what the bytes of a `.wasm` say, in the specification's terms. Compiles
//! nothing, runs nothing, and knows no engine but through [`types::TypeRegistry`].

pub(crate) mod const_expr;
pub(crate) mod convert;
pub(crate) mod decode;
pub(crate) mod features;
pub(crate) mod index;
pub(crate) mod module;
pub(crate) mod subtype;
pub(crate) mod types;
