//! `#[host_trait]`: lets guests pass objects as `&dyn Trait`. The trait stays as it is.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::{Item, ItemTrait};

use crate::attr::{Args, Keys};
use crate::errors::Errors;
use crate::item;
use crate::spans;

const KEYS: Keys =
    Keys { attribute: "#[host_trait]", known: &["crate"], later: &[], elsewhere: &[] };

/// Expands `#[host_trait(arguments)] item`.
pub(crate) fn host_trait(arguments: TokenStream, item: TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    let krate = Args::parse(arguments, &KEYS, &mut errors).krate(&mut errors);
    let Some(item_trait) = parse(item.clone(), &mut errors) else {
        let errors = errors.finish();
        return quote!(#errors #item);
    };
    let ident = &item_trait.ident;
    let here = spans::at(ident.span());
    let (at, private) = (krate.at(here), krate.private(here));
    let cfgs: Vec<_> = item_trait.attrs.iter().filter(|attr| attr.path().is_ident("cfg")).collect();
    let errors = errors.finish();
    quote_spanned! {here=>
        #errors
        #item

        #(#cfgs)*
        #[automatically_derived]
        impl #at::ExternTarget for dyn #ident {
            type By = #private::ByCast;
        }

        #(#cfgs)*
        #[automatically_derived]
        impl<'__object> #at::HostTrait for dyn #ident + '__object {
            type Object = dyn #ident;
        }
    }
}

fn parse(item: TokenStream, errors: &mut Errors) -> Option<ItemTrait> {
    let item = match syn::parse2::<Item>(item) {
        Ok(Item::Trait(item)) => item,
        Ok(other) => {
            let found = item::describe(&other);
            let message = format!("`#[host_trait]` belongs on a trait; this is {found}");
            errors.at(item::head(&other), message);
            return None;
        }
        Err(error) => {
            errors.push(error);
            return None;
        }
    };
    if !item.generics.params.is_empty() {
        errors.at(
            &item.generics.params,
            "a host trait cannot be generic: a guest's object is one `dyn Trait` or not; make a trait \
             for each type",
        );
        return None;
    }
    Some(item)
}

#[cfg(test)]
mod tests {
    use super::host_trait;
    use quote::quote;

    #[test]
    fn a_trait_stays_and_gets_two_impls() {
        let output = host_trait(
            quote!(),
            quote!(
                pub trait Shape: Send {
                    fn area(&self) -> f64;
                }
            ),
        );
        let file = syn::parse2::<syn::File>(output).expect("the output is Rust");
        assert_eq!(file.items.len(), 3);
    }

    #[test]
    fn other_items_are_reported_and_left_alone() {
        for item in [
            quote!(
                struct A;
            ),
            quote!(
                trait Of<T> {}
            ),
        ] {
            let output = host_trait(quote!(), item.clone()).to_string();
            assert_eq!(output.matches("compile_error").count(), 1, "{output}");
            assert!(output.ends_with(&item.to_string()), "{output}");
        }
    }
}
