//! The accumulator of a macro's own error messages. All mistakes of one input are reported in one
//! compile; forgetting to look at the accumulator is a panic.

use std::fmt::Display;
use std::thread;

use proc_macro2::TokenStream;
use quote::ToTokens;

/// Error messages, each at the user's tokens.
#[derive(Debug, Default)]
pub(crate) struct Errors {
    found: Vec<syn::Error>,
    finished: bool,
}

impl Errors {
    /// Adds `message` at `tokens`.
    pub(crate) fn at(&mut self, tokens: impl ToTokens, message: impl Display) {
        self.push(syn::Error::new_spanned(tokens, message));
    }

    /// Adds an error that was made elsewhere.
    pub(crate) fn push(&mut self, error: syn::Error) {
        self.found.push(error);
    }

    /// How many errors there are so far; comparing two counts tells whether a phase found any.
    pub(crate) fn count(&self) -> usize {
        self.found.len()
    }

    /// The errors as `compile_error!` calls; empty when there are none.
    pub(crate) fn finish(mut self) -> TokenStream {
        self.finished = true;
        self.found.iter().map(syn::Error::to_compile_error).collect()
    }
}

impl Drop for Errors {
    fn drop(&mut self) {
        assert!(self.finished || thread::panicking(), "macro errors were dropped unreported");
    }
}

#[cfg(test)]
mod tests {
    use super::Errors;
    use quote::quote;

    #[test]
    fn all_errors_come_out() {
        let mut errors = Errors::default();
        errors.at(quote!(a), "first");
        errors.at(quote!(b), "second");
        assert_eq!(errors.count(), 2);
        let output = errors.finish().to_string();
        assert!(output.contains("first") && output.contains("second"));
    }

    #[test]
    #[should_panic(expected = "unreported")]
    fn errors_must_be_finished() {
        drop(Errors::default());
    }
}
