//! `#[cfg]` attributes of parts of an item. Evaluates none: rustc does.

use quote::ToTokens;
use syn::{Attribute, Meta, parse_quote};

/// The `#[cfg]` attributes among `attrs`.
pub(crate) fn of(attrs: &[Attribute]) -> Vec<Attribute> {
    attrs.iter().filter(|attr| attr.path().is_ident("cfg")).cloned().collect()
}

/// The attribute that holds where `attr` does not.
pub(crate) fn negated(attr: &Attribute) -> Attribute {
    match &attr.meta {
        Meta::List(list) => {
            let condition = &list.tokens;
            parse_quote!(#[cfg(not(#condition))])
        }
        // What is malformed is for rustc to report, where it stands.
        _ => attr.clone(),
    }
}

/// Whether two attributes have the same condition, token by token.
pub(crate) fn equal(a: &Attribute, b: &Attribute) -> bool {
    a.meta.to_token_stream().to_string() == b.meta.to_token_stream().to_string()
}
