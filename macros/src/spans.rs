//! Where generated code stands for rustc's messages: at the user's tokens, with names of its own.

use proc_macro2::{Delimiter, Group, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote};

/// The macro's own names, shown at `span`.
pub(crate) fn at(span: Span) -> Span {
    Span::mixed_site().located_at(span)
}

/// The call `callee(arguments)`, made at a given span, shown at all of `tokens`.
pub(crate) fn call_at(
    tokens: &impl ToTokens,
    make: impl FnOnce(Span) -> (TokenStream, TokenStream),
) -> TokenStream {
    // A message about an expression covers what lies between its first and its last token.
    let (first, last) = ends(tokens);
    let (callee, arguments) = make(at(first));
    let mut arguments = Group::new(Delimiter::Parenthesis, arguments);
    arguments.set_span(at(last));
    quote!(#callee #arguments)
}

fn ends(tokens: &impl ToTokens) -> (Span, Span) {
    let mut tokens = tokens.to_token_stream().into_iter();
    let Some(first) = tokens.next() else { return (Span::call_site(), Span::call_site()) };
    let last = tokens.last().unwrap_or_else(|| first.clone());
    (open(&first), close(&last))
}

fn open(token: &TokenTree) -> Span {
    match token {
        TokenTree::Group(group) if group.delimiter() == Delimiter::None => ends(&group.stream()).0,
        TokenTree::Group(group) => group.span_open(),
        other => other.span(),
    }
}

fn close(token: &TokenTree) -> Span {
    match token {
        TokenTree::Group(group) if group.delimiter() == Delimiter::None => ends(&group.stream()).1,
        TokenTree::Group(group) => group.span_close(),
        other => other.span(),
    }
}
