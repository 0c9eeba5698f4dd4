//! What a guest's file imports and exports, for `check = ".."`. Knows nothing of the macros that
//! compare it with Rust.

#[cfg(feature = "check")]
mod read;

use std::fmt;

use proc_macro2::{Ident, Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::LitStr;

use crate::errors::Errors;
use crate::krate::Krate;

/// A file that was read.
pub(crate) struct Guest {
    /// As the user writes it.
    pub(crate) path: LitStr,
    pub(crate) imports: Vec<Import>,
    pub(crate) exports: Vec<Export>,
}

/// One import.
pub(crate) struct Import {
    pub(crate) module: String,
    pub(crate) name: String,
    pub(crate) entity: Entity,
}

/// One export.
pub(crate) struct Export {
    pub(crate) name: String,
    pub(crate) entity: Entity,
}

/// What is imported or exported.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(not(feature = "check"), expect(dead_code, reason = "made by the reader"))]
pub(crate) enum Entity {
    Func(FuncType),
    Memory,
    Table,
    Global,
    Tag,
}

/// The type of a function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FuncType {
    pub(crate) params: Vec<ValType>,
    pub(crate) results: Vec<ValType>,
}

/// The type of a value, by its name in `hostref::guest_types`, where a reference.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ValType(pub(crate) &'static str);

impl Guest {
    /// Reads the file at `path`. `None` after an error.
    #[cfg(feature = "check")]
    pub(crate) fn read(path: LitStr, errors: &mut Errors) -> Option<Guest> {
        match read::read(&path.value()) {
            Ok((imports, exports)) => Some(Guest { path, imports, exports }),
            Err(message) => {
                errors.at(&path, message);
                None
            }
        }
    }

    /// Reads nothing: this build has no parser.
    #[cfg(not(feature = "check"))]
    pub(crate) fn read(path: LitStr, errors: &mut Errors) -> Option<Guest> {
        errors.at(
            &path,
            "`check` needs the feature `check` of hostref: `hostref = { version = \"..\", features = \
             [\"check\"] }`",
        );
        None
    }

    /// An item that makes rustc expand the macro again when the file changes.
    pub(crate) fn tracked(&self) -> TokenStream {
        let path = &self.path;
        let path = match std::path::Path::new(&path.value()).is_absolute() {
            true => quote!(#path),
            false => {
                quote!(::core::concat!(::core::env!("CARGO_MANIFEST_DIR"), "/", #path))
            }
        };
        quote! {
            const _: &[::core::primitive::u8] = ::core::include_bytes!(#path);
        }
    }
}

impl FuncType {
    /// The parameters as `(first, (second, .. ()))`.
    pub(crate) fn params_list(&self, krate: &Krate, span: Span) -> TokenStream {
        let params = self.params.iter().map(|ty| ty.tokens(krate, span));
        params.rfold(quote_spanned!(span=> ()), |rest, ty| quote_spanned!(span=> (#ty, #rest)))
    }

    /// The results as a tuple.
    pub(crate) fn results_tuple(&self, krate: &Krate, span: Span) -> TokenStream {
        let results = self.results.iter().map(|ty| ty.tokens(krate, span));
        quote_spanned!(span=> (#(#results,)*))
    }
}

impl ValType {
    fn tokens(self, krate: &Krate, span: Span) -> TokenStream {
        let ident = Ident::new(self.0, span);
        match self.0 {
            "i32" | "i64" | "f32" | "f64" => quote_spanned!(span=> ::core::primitive::#ident),
            "v128" => {
                let krate = krate.at(span);
                quote_spanned!(span=> #krate::V128)
            }
            _ => {
                let krate = krate.at(span);
                quote_spanned!(span=> #krate::guest_types::#ident)
            }
        }
    }
}

impl Entity {
    /// Its name in `hostref::guest_types`.
    pub(crate) fn marker(&self) -> &'static str {
        match self {
            Entity::Func(_) => "func",
            Entity::Memory => "memory",
            Entity::Table => "table",
            Entity::Global => "global",
            Entity::Tag => "tag",
        }
    }
}

impl fmt::Display for Entity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Entity::Func(ty) => ty.fmt(f),
            other => write!(f, "a {}", other.marker()),
        }
    }
}

impl fmt::Display for FuncType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(func")?;
        for (keyword, types) in [("param", &self.params), ("result", &self.results)] {
            if !types.is_empty() {
                write!(f, " ({keyword}")?;
                types.iter().try_for_each(|ty| write!(f, " {ty}"))?;
                f.write_str(")")?;
            }
        }
        f.write_str(")")
    }
}

impl fmt::Display for ValType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.strip_prefix("ref_") {
            Some(heap) => write!(f, "(ref {heap})"),
            None if self.0 == "unchecked" => f.write_str("(ref ..)"),
            None => f.write_str(self.0),
        }
    }
}
