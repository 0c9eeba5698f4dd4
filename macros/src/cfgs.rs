//! `#[cfg]` attributes of parts of an item. Evaluates none: rustc does.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
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

/// The attribute that holds where one of several lists holds; `None` where one of them is empty.
pub(crate) fn any<'a>(lists: impl IntoIterator<Item = &'a [Attribute]>) -> Option<Attribute> {
    let lists: Vec<_> = lists.into_iter().collect();
    if lists.iter().any(|attrs| attrs.is_empty()) {
        return None;
    }
    let conditions = lists.iter().map(|attrs| all(attrs));
    Some(parse_quote!(#[cfg(any(#(#conditions),*))]))
}

/// The condition that all of `attrs` hold.
fn all(attrs: &[Attribute]) -> TokenStream {
    let conditions = attrs.iter().filter_map(|attr| match &attr.meta {
        Meta::List(list) => Some(&list.tokens),
        _ => None,
    });
    quote!(all(#(#conditions),*))
}

/// `error`, as an item that exists where none of several lists of attributes holds.
pub(crate) fn error_unless<'a>(
    lists: impl IntoIterator<Item = &'a [Attribute]>,
    error: &syn::Error,
) -> TokenStream {
    let lists = lists.into_iter().map(all);
    let error = error.to_compile_error();
    quote!(#[cfg(not(any(#(#lists),*)))] #error)
}
