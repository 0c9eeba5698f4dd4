//! `#[host_module]`: the pipeline. Each phase is a file; a phase reports what it finds and passes on
//! what is still usable, so that one compile shows every mistake.

mod check;
mod compare;
mod expand;
mod model;
mod parse;
mod signature;
mod signatures;
mod variants;

use proc_macro2::TokenStream;

use crate::errors::Errors;

/// Expands `#[host_module(arguments)] item`.
pub(crate) fn host_module(arguments: TokenStream, item: TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    let output = match parse::parse(arguments, item.clone(), &mut errors) {
        Some(mut module) => {
            check::check(&mut module, &mut errors);
            compare::compare(&mut module, &mut errors);
            expand::expand(&module)
        }
        None => item,
    };
    let errors = errors.finish();
    quote::quote!(#errors #output)
}

#[cfg(test)]
mod tests {
    use super::host_module;
    use proc_macro2::TokenStream;
    use quote::quote;

    fn messages(arguments: TokenStream, item: TokenStream) -> usize {
        host_module(arguments, item).to_string().matches("compile_error").count()
    }

    #[test]
    fn a_good_block_has_no_messages() {
        let output = host_module(
            quote!(name = "env", rename_all = "kebab-case", receiver = "object", state = App),
            quote!(
                impl Counter {
                    #[host(name = "add")]
                    fn bump(&mut self, by: i32) -> i32 {
                        by
                    }
                    fn read_all(cx: &mut Caller<'_, App>) {}
                    #[host(skip)]
                    fn helper<T>(t: T) {}
                }
            ),
        );
        let text = output.to_string();
        assert!(!text.contains("compile_error"), "{text}");
        assert!(!text.contains("# [host"), "our attributes are gone: {text}");
        assert!(text.contains("\"add\"") && text.contains("\"read-all\""), "{text}");
        assert!(!text.contains(":: helper"), "a skipped function is not registered: {text}");
        syn::parse2::<syn::File>(output).expect("the output is Rust");
    }

    #[test]
    fn six_mistakes_are_six_messages() {
        let count = messages(
            quote!(nme = "env"),
            quote!(
                impl Counter {
                    async fn a() {}
                    fn b(self) {}
                    fn c<T>(t: T) {}
                    fn d((x, y): (i32, i32)) {}
                    fn e() -> &'static str {
                        ""
                    }
                }
            ),
        );
        assert_eq!(count, 6);
    }

    #[test]
    fn another_item_is_left_alone() {
        let output = host_module(
            quote!(),
            quote!(
                struct A;
            ),
        )
        .to_string();
        assert!(output.contains("inherent impl") && output.contains("struct A ;"), "{output}");
    }
}
