//! What a `#[host_module]` block says. Nodes keep the user's tokens, so that messages point at them.

use proc_macro2::{Span, TokenStream};
use syn::{Attribute, Ident, ItemImpl, Receiver, Type};

use crate::guest::{FuncType, Guest};
use crate::krate::Krate;

/// A block of host functions.
pub(crate) struct HostModule {
    /// The block as written, without our attributes.
    pub(crate) block: ItemImpl,
    /// The name that guests import from.
    pub(crate) name: String,
    /// What `self` is, with the value of the key.
    pub(crate) receiver: Option<ReceiverKind>,
    /// The store's data, when only one type will do.
    pub(crate) state: Option<Type>,
    /// The export of the calling instance that text and slices lie in.
    pub(crate) memory: String,
    /// The name of the generated function.
    pub(crate) link: Ident,
    pub(crate) krate: Krate,
    /// The guest that the block is checked against.
    pub(crate) guest: Option<Guest>,
    /// Wasm names of functions that were reported and left out.
    pub(crate) broken: Vec<String>,
    /// The functions that guests may import.
    pub(crate) functions: Vec<Function>,
    /// The constants that guests may import as globals.
    pub(crate) globals: Vec<Global>,
    /// Messages about functions under `#[cfg]`, as items under its contrary.
    pub(crate) late: TokenStream,
}

/// One constant of the block.
pub(crate) struct Global {
    pub(crate) ident: Ident,
    pub(crate) wasm_name: WasmName,
    /// The documentation, line by line.
    pub(crate) docs: String,
    pub(crate) cfgs: Vec<Attribute>,
    pub(crate) ty: Type,
}

/// What `&self` is in this block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ReceiverKind {
    /// The first Wasm parameter, an externref to `Self`.
    Object,
    /// A part of the store's data.
    State,
}

/// One function of the block, or one form of it when parameters are under `#[cfg]`.
#[derive(Clone)]
pub(crate) struct Function {
    pub(crate) ident: Ident,
    pub(crate) wasm_name: WasmName,
    /// The documentation, line by line.
    pub(crate) docs: String,
    /// `#[cfg]` attributes.
    pub(crate) cfgs: Vec<Attribute>,
    pub(crate) receiver: Option<SelfParam>,
    pub(crate) params: Vec<Param>,
    /// `None` for no result.
    pub(crate) result: Option<Type>,
    /// The types with which the guest imports it.
    pub(crate) imported_as: Vec<FuncType>,
    /// Whether the result is passed as an error number.
    pub(crate) errno: bool,
}

/// The name under which guests import a function.
#[derive(Clone)]
pub(crate) struct WasmName {
    pub(crate) text: String,
    /// Where the name comes from.
    pub(crate) span: Span,
}

/// `&self` or `&mut self`.
#[derive(Clone)]
pub(crate) struct SelfParam {
    pub(crate) exclusive: bool,
    /// As written.
    pub(crate) tokens: Receiver,
}

/// A parameter other than `self`.
#[derive(Clone)]
pub(crate) struct Param {
    /// For messages at run time.
    pub(crate) name: String,
    /// Without the lifetimes that the function declares.
    pub(crate) ty: Type,
    /// `#[cfg]` attributes.
    pub(crate) cfgs: Vec<Attribute>,
    /// Whether an integer is cut to its lower bits.
    pub(crate) wrap: bool,
}
