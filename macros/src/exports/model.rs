//! What a `#[wasm_exports]` struct says. Nodes keep the user's tokens, so that messages point at them.

use proc_macro2::{Span, TokenStream};
use syn::{Attribute, Ident, Type, Visibility};

use crate::guest::{Entity, FuncType, Guest};
use crate::krate::Krate;

/// A struct of exports.
pub(crate) struct Exports {
    /// Attributes of the struct that are not ours.
    pub(crate) attrs: Vec<Attribute>,
    pub(crate) vis: Visibility,
    pub(crate) ident: Ident,
    pub(crate) krate: Krate,
    /// The guest that the struct is checked against.
    pub(crate) guest: Option<Guest>,
    pub(crate) fields: Vec<Field>,
    /// Messages about fields under `#[cfg]`, as items under it.
    pub(crate) late: TokenStream,
}

/// One export.
pub(crate) struct Field {
    pub(crate) docs: Vec<Attribute>,
    /// `#[cfg]` attributes.
    pub(crate) cfgs: Vec<Attribute>,
    pub(crate) vis: Visibility,
    pub(crate) ident: Ident,
    pub(crate) wasm_name: String,
    /// Where the name comes from.
    pub(crate) name_span: Span,
    pub(crate) kind: FieldKind,
    /// What the guest exports under the name, when the struct is checked.
    pub(crate) found: Option<Found>,
}

/// What the guest exports.
pub(crate) enum Found {
    Nothing,
    Export(Entity),
}

impl Found {
    /// Its name in the support module.
    pub(crate) fn marker(&self) -> &'static str {
        match self {
            Found::Nothing => "nothing",
            Found::Export(entity) => entity.marker(),
        }
    }

    /// The type of the function, if it is one.
    pub(crate) fn function(&self) -> Option<&FuncType> {
        match self {
            Found::Export(Entity::Func(ty)) => Some(ty),
            _ => None,
        }
    }
}

impl Field {
    /// Whether the field was reported.
    pub(crate) fn is_broken(&self) -> bool {
        matches!(self.kind, FieldKind::Function(Function { broken: true, .. }))
    }
}

/// What an export is, as far as syntax tells.
pub(crate) enum FieldKind {
    /// A function.
    Function(Function),
    /// Anything else, judged by its type.
    Item(Type),
}

/// A function that a guest exports.
pub(crate) struct Function {
    pub(crate) params: Vec<Param>,
    /// `None` for no result.
    pub(crate) result: Option<Type>,
    /// Whether the guest may do without it.
    pub(crate) optional: bool,
    /// The export that allocates room for text and bytes.
    pub(crate) alloc: Option<String>,
    /// Whether it was reported: then its method exists, and calls nothing.
    pub(crate) broken: bool,
}

/// A parameter of an exported function.
pub(crate) struct Param {
    pub(crate) ident: Ident,
    pub(crate) ty: Type,
}
