//! The path of the runtime crate in generated code.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::Path;

/// What `crate = path` says, or `::hostref`.
#[derive(Clone, Default)]
pub(crate) struct Krate(pub(crate) Option<Path>);

impl Krate {
    /// The hidden support module, for generated code that blames `span`.
    pub(crate) fn private(&self, span: Span) -> TokenStream {
        quote_spanned!(span=> #self::__private)
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
