//! `#[wasm_exports]`: the pipeline, as in `host_module`.

mod check;
mod compare;
mod expand;
mod model;
mod parse;

use proc_macro2::TokenStream;
use quote::quote;

use crate::errors::Errors;

/// Expands `#[wasm_exports(arguments)] item`.
pub(crate) fn wasm_exports(arguments: TokenStream, item: TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    let output = match parse::parse(arguments, item.clone(), &mut errors) {
        Some(mut exports) => {
            check::check(&mut exports, &mut errors);
            compare::compare(&mut exports, &mut errors);
            expand::expand(&exports)
        }
        None => item,
    };
    let errors = errors.finish();
    quote!(#errors #output)
}

#[cfg(test)]
mod tests {
    use super::wasm_exports;
    use quote::quote;

    #[test]
    fn a_good_struct_has_no_messages() {
        let output = wasm_exports(
            quote!(rename_all = "kebab-case"),
            quote!(
                pub(crate) struct Guest {
                    /// Runs.
                    pub do_it: fn(a: Rooted<ExternRef<Text>>, i32) -> (i32, i64),
                    #[export(name = "on-event")]
                    hook: Option<fn(code: i32)>,
                    memory: Memory,
                }
            ),
        );
        let text = output.to_string();
        assert!(!text.contains("compile_error"), "{text}");
        for part in ["\"do-it\"", "\"on-event\"", "call_do_it", "has_hook", "fn memory", "GuestPre"]
        {
            assert!(text.contains(part), "{part}: {text}");
        }
        syn::parse2::<syn::File>(output).expect("the output is Rust");
    }

    #[test]
    fn each_mistake_has_its_message() {
        let output = wasm_exports(
            quote!(),
            quote!(
                struct Guest {
                    a: fn() -> Result<i32>,
                    b: fn(x: &mut Text),
                    c: unsafe fn(),
                    d: extern "C" fn(),
                    e: fn(),
                    #[export(name = "e")]
                    f: fn(),
                    #[export(alloc = "malloc")]
                    g: Memory,
                }
            ),
        );
        // The second function of one name is a message of two places.
        assert_eq!(output.to_string().matches("compile_error").count(), 7, "{output}");
    }
}
