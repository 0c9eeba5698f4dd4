//! The path of the runtime crate in generated code.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::Path;

/// What `crate = path` says, or `::hostref`.
#[derive(Clone, Default)]
pub(crate) struct Krate(pub(crate) Option<Path>);

impl Krate {
    /// The path for generated code that is shown at `span`; it is found where the user named it.
    pub(crate) fn at(&self, span: Span) -> TokenStream {
        let tokens = self.to_token_stream().into_iter().map(|mut token| {
            token.set_span(token.span().located_at(span));
            token
        });
        tokens.collect()
    }

    /// The hidden support module, for generated code that is shown at `span`.
    pub(crate) fn private(&self, span: Span) -> TokenStream {
        let krate = self.at(span);
        quote_spanned!(span=> #krate::__private)
    }
}

impl ToTokens for Krate {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        match &self.0 {
            Some(path) => path.to_tokens(tokens),
            None => tokens.extend(quote!(::hostref)),
        }
    }
}
