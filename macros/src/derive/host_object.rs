//! `#[derive(HostObject)]`: the name and the properties of a type of host objects. Generates safe code
//! that the runtime's support module calls.

use proc_macro2::{Ident, TokenStream, TokenTree};
use quote::{ToTokens, quote, quote_spanned};
use syn::parse::Parser;
use syn::punctuated::Punctuated;
use syn::spanned::Spanned;
use syn::{DeriveInput, Meta, Path, Token, Type};

use crate::attr::{Args, Keys};
use crate::errors::Errors;
use crate::krate::Krate;
use crate::spans;

const KEYS: Keys = Keys {
    attribute: "#[host_object]",
    known: &["name", "frozen", "size", "cast", "crate"],
    later: &[],
    elsewhere: &[],
};

/// What `#[host_object]` says.
struct Properties {
    name: String,
    frozen: bool,
    size: Option<Path>,
    casts: Vec<Type>,
    krate: Krate,
}

/// Expands `#[derive(HostObject)] item`.
pub(crate) fn derive(item: TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    let input = match syn::parse2::<DeriveInput>(item) {
        Ok(input) => input,
        Err(error) => {
            errors.push(error);
            return errors.finish();
        }
    };
    let properties = properties(&input, &mut errors);
    let output = match input.generics.params.is_empty() {
        true => expand(&input.ident, &properties),
        false => {
            errors.at(
                &input.generics.params,
                "`HostObject` cannot be derived for a generic type: a host object has one concrete \
                 type; any type can be one without deriving, and a newtype can derive",
            );
            TokenStream::new()
        }
    };
    let errors = errors.finish();
    quote!(#errors #output)
}

fn properties(input: &DeriveInput, errors: &mut Errors) -> Properties {
    let mut args = Args::default();
    let mut casts = Vec::new();
    for attr in input.attrs.iter().filter(|attr| attr.path().is_ident("host_object")) {
        match &attr.meta {
            Meta::List(list) => {
                let tokens = take_casts(list.tokens.clone(), &mut casts, errors);
                args.merge(Args::parse(tokens, &KEYS, errors), errors);
            }
            _ => errors.at(attr, "`#[host_object]` takes arguments: `#[host_object(frozen)]`"),
        }
    }
    if let Some(key) = args.keys().find(|key| *key == "cast") {
        errors.at(key, "`cast` takes traits in parentheses: write `cast(dyn Trait, dyn Other)`");
    }
    Properties {
        name: args.string("name", errors).map_or_else(|| input.ident.to_string(), |it| it.value()),
        frozen: args.flag("frozen", errors).is_some(),
        size: args.value("size", "the path of a function", "Self::bytes", errors),
        krate: args.krate(errors),
        casts,
    }
}

/// Reads `cast(dyn Trait, ..)` and returns the other arguments.
fn take_casts(tokens: TokenStream, casts: &mut Vec<Type>, errors: &mut Errors) -> TokenStream {
    let mut rest: Vec<_> = Vec::new();
    let mut tokens = tokens.into_iter().peekable();
    while let Some(token) = tokens.next() {
        let is_cast = matches!(&token, TokenTree::Ident(ident) if ident == "cast");
        let Some(TokenTree::Group(group)) = tokens.peek().filter(|_| is_cast) else {
            rest.push(token);
            continue;
        };
        match Punctuated::<Type, Token![,]>::parse_terminated.parse2(group.stream()) {
            Ok(types) => types.into_iter().for_each(|ty| match ty {
                Type::TraitObject(_) => casts.push(ty),
                other => errors.at(&other, "`cast` takes trait objects: write `cast(dyn Trait)`"),
            }),
            Err(error) => errors.push(error),
        }
        tokens.next();
        // The comma that follows goes along.
        tokens.next_if(|next| matches!(next, TokenTree::Punct(comma) if comma.as_char() == ','));
    }
    rest.into_iter().collect()
}

fn expand(ident: &Ident, properties: &Properties) -> TokenStream {
    let Properties { name, frozen, size, casts, krate } = properties;
    let here = spans::at(ident.span());
    let (at, private) = (krate.at(here), krate.private(here));
    let mutability = Ident::new(if *frozen { "Frozen" } else { "Thawed" }, here);
    let casts = casts.iter().map(|target| cast(target, krate));
    let size = match size {
        Some(path) => {
            // As a function pointer, so that rustc says which function is wanted.
            let size = quote_spanned! {spans::at(path.span())=>
                let __size: fn(&Self) -> ::core::primitive::usize = #path;
            };
            quote_spanned!(here=> #size __size(self))
        }
        None => quote!(0),
    };
    quote_spanned! {here=>
        #[automatically_derived]
        impl #at::HostObject for #ident {
            const NAME: &'static ::core::primitive::str = #name;
            const FROZEN: ::core::primitive::bool = #frozen;
            type Mutability = #private::#mutability;
            const KIND: &'static #private::ObjectKind =
                &#private::ObjectKind::new(#name, &[#(#casts),*]);
            fn external_bytes(&self) -> ::core::primitive::usize {
                #size
            }
        }

        #[automatically_derived]
        impl #private::HostValue for #ident {
            type Wasm = #private::NewRef<Self>;
            type Fresh = #private::NotFresh;
            const ROOTED: ::core::primitive::bool = false;
            const PREPARED_ROOTED: ::core::primitive::bool = true;
            fn prepare(
                self,
                __store: &mut #private::StoreInner,
                _: #private::Maker,
            ) -> #at::Result<Self::Wasm> {
                #private::prepare_object(self, __store)
            }
            fn lower_only(
                self,
                __store: &mut #private::StoreInner,
                _: #private::Maker,
            ) -> #at::Result<::core::primitive::i32> {
                #private::lower_object(self, __store)
            }
        }
    }
}

/// How the type is seen as `target`.
fn cast(target: &Type, krate: &Krate) -> TokenStream {
    let span = spans::at(target.span());
    let private = krate.private(span);
    let target = target.to_token_stream();
    quote_spanned! {span=>
        #private::Cast::new::<#target>(&#private::cast_fn::<#target>(|__any| {
            match __any.downcast_ref::<Self>() {
                ::core::option::Option::Some(__value) => {
                    ::core::option::Option::Some(__value as &#target)
                }
                ::core::option::Option::None => ::core::option::Option::None,
            }
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::derive;
    use quote::quote;

    #[test]
    fn types_with_all_properties_are_derived() {
        let output = derive(quote!(
            #[host_object(frozen, cast(dyn Shape, dyn Debug), size = Self::bytes, name = "circle")]
            struct Circle {
                radius: f64,
            }
        ));
        let text = output.to_string();
        assert!(!text.contains("compile_error"), "{text}");
        assert!(text.contains("\"circle\"") && text.contains("dyn Debug"), "{text}");
        syn::parse2::<syn::File>(output).expect("the output is Rust");
    }

    #[test]
    fn each_mistake_is_reported_once() {
        for item in [
            quote!(
                struct Generic<T>(T);
            ),
            quote!(
                #[host_object(cast = Shape)]
                struct A;
            ),
            quote!(
                #[host_object(cast(Shape))]
                struct A;
            ),
            quote!(
                #[host_object(frzen)]
                struct A;
            ),
            quote!(
                #[host_object]
                struct A;
            ),
            quote!(
                #[host_object(size)]
                struct A;
            ),
        ] {
            let output = derive(item).to_string();
            assert_eq!(output.matches("compile_error").count(), 1, "{output}");
        }
    }
}
