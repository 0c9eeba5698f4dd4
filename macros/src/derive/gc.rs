//! What `#[derive(GcStruct)]` and `#[derive(GcArray)]` share: the attribute `#[gc(..)]`, the handle, and how
//! a part is stored. Knows nothing of fields and elements as such.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::ext::IdentExt;
use syn::{Attribute, DeriveInput, Meta, Type, TypeTuple};

use crate::attr::{Args, Keys};
use crate::errors::Errors;
use crate::krate::Krate;
use crate::spans;

/// What `#[gc(..)]` says of a type.
pub(super) struct Declared {
    pub(super) krate: Krate,
    pub(super) handle: Ident,
    /// Whether the type may have subtypes.
    pub(super) open: bool,
    /// The types of its recursion group.
    group: Vec<Type>,
}

/// What `#[gc(..)]` says of a field, or of the elements of an array.
#[derive(Clone, Default)]
pub(super) struct Flags {
    pub(super) mutable: bool,
    pub(super) packed: bool,
}

/// Reads all `#[gc(..)]` among `attrs`.
pub(super) fn args(attrs: &[Attribute], keys: &Keys, errors: &mut Errors) -> Args {
    let mut args = Args::default();
    for attr in attrs.iter().filter(|attr| attr.path().is_ident("gc")) {
        match &attr.meta {
            Meta::List(list) => {
                args.merge(Args::parse(list.tokens.clone(), keys, errors), errors);
            }
            _ => errors.at(attr, "`#[gc]` takes arguments: `#[gc(mut)]`"),
        }
    }
    args
}

impl Declared {
    pub(super) fn new(input: &DeriveInput, args: &Args, errors: &mut Errors) -> Declared {
        let handle = args.value::<Ident>("handle", "a name", "PointRef", errors);
        let group = args.value::<TypeTuple>("group", "types in parentheses", "(A, B)", errors);
        Declared {
            krate: args.krate(errors),
            handle: handle
                .unwrap_or_else(|| format_ident!("{}Ref", input.ident, span = input.ident.span())),
            open: args.flag("open", errors).is_some(),
            group: group.map(|group| group.elems.into_iter().collect()).unwrap_or_default(),
        }
    }

    /// The implementation of `GcType` for `ident`, whose parts `parts` defines.
    pub(super) fn definition(&self, ident: &Ident, parts: &[TokenStream]) -> TokenStream {
        let here = spans::at(ident.span());
        let private = self.krate.private(here);
        let symbol = format!("${}", ident.unraw());
        let open = self.open.then(|| quote_spanned!(here=> __definition.non_final();));
        let group = self.group.iter();
        let group = (!self.group.is_empty()).then(|| {
            quote_spanned! {here=>
                fn group() -> ::std::vec::Vec<&'static #private::GcTypeKey> {
                    ::std::vec![#(#private::GcTypeKey::of::<#group>()),*]
                }
            }
        });
        quote_spanned! {here=>
            #[automatically_derived]
            impl #private::GcType for #ident {
                const NAME: &'static ::core::primitive::str = #symbol;

                fn define(__definition: &mut #private::GcDefinition) {
                    #(#parts)*
                    #open
                }

                #group
            }
        }
    }

    /// The handle of `input`, around a root of type `root`.
    pub(super) fn handle(
        &self,
        input: &DeriveInput,
        root: &TokenStream,
        sort: &str,
    ) -> TokenStream {
        let Declared { krate, handle, .. } = self;
        let (ident, vis) = (&input.ident, &input.vis);
        let here = spans::at(ident.span());
        let (at, private) = (krate.at(here), krate.private(here));
        let docs = format!(
            "A reference to {sort} of the type that [`{ident}`] declares. It is rooted in the scope in which \
             it was made, and free to copy."
        );
        let value = self.plain_impls(here);
        quote_spanned! {here=>
            #[doc = #docs]
            #vis struct #handle(#root);

            #value

            #[automatically_derived]
            impl ::core::ops::Deref for #handle {
                type Target = #root;

                fn deref(&self) -> &#root {
                    &self.0
                }
            }

            #[automatically_derived]
            impl ::core::convert::From<#root> for #handle {
                fn from(__root: #root) -> Self {
                    Self(__root)
                }
            }

            #[automatically_derived]
            impl ::core::convert::From<#handle> for #root {
                fn from(__handle: #handle) -> Self {
                    __handle.0
                }
            }

            #[automatically_derived]
            impl #private::GcHandle for #handle {
                type Root = #root;

                fn from_root(__root: #root) -> Self {
                    Self(__root)
                }

                fn into_root(self) -> #root {
                    self.0
                }
            }

            #[automatically_derived]
            impl #private::ByHandle for #ident {
                type Handle = #handle;
            }

            #[automatically_derived]
            impl #at::WasmTy for #handle {
                type Wasm = #root;

                fn into_wasm(self) -> #root {
                    self.0
                }

                fn try_from_wasm(__root: #root) -> #at::Result<Self> {
                    #at::Result::Ok(Self(__root))
                }
            }
        }
    }

    /// What a handle has in common with every value that is copied.
    fn plain_impls(&self, here: Span) -> TokenStream {
        let (handle, private) = (&self.handle, self.krate.private(here));
        let name = handle.to_string();
        quote_spanned! {here=>
            #[automatically_derived]
            impl ::core::clone::Clone for #handle {
                fn clone(&self) -> Self {
                    *self
                }
            }

            #[automatically_derived]
            impl ::core::marker::Copy for #handle {}

            #[automatically_derived]
            impl ::core::fmt::Debug for #handle {
                fn fmt(&self, __f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                    #private::show_handle(__f, #name, &self.0)
                }
            }
        }
    }
}

impl Flags {
    pub(super) fn new(args: &Args, errors: &mut Errors) -> Flags {
        Flags {
            mutable: args.flag("mut", errors).is_some(),
            packed: args.flag("packed", errors).is_some(),
        }
    }

    /// The marker of a part of type `ty`: where a type that cannot be stored is reported.
    pub(super) fn marker(&self, krate: &Krate, ty: &Type) -> TokenStream {
        spans::call_at(ty, |span| {
            let private = krate.private(span);
            let probe = match self.packed {
                true => quote_spanned!(span=> #private::PackedProbe),
                false => quote_spanned!(span=> #private::PartProbe),
            };
            (quote_spanned!(span=> #probe::<#ty>::NEW.look), quote!())
        })
    }

    /// `Mutability::Var` or `Mutability::Const`.
    pub(super) fn mutability(&self, krate: &Krate, here: Span) -> TokenStream {
        let at = krate.at(here);
        match self.mutable {
            true => quote_spanned!(here=> #at::Mutability::Var),
            false => quote_spanned!(here=> #at::Mutability::Const),
        }
    }
}

/// `items` with the traits in scope that markers look with.
pub(super) fn in_scope(krate: &Krate, here: Span, items: &TokenStream) -> TokenStream {
    let private = krate.private(here);
    quote_spanned! {here=>
        const _: () = {
            #[allow(unused_imports, reason = "there may be nothing to look at")]
            use #private::in_scope::*;
            #items
        };
    }
}

/// Reports a generic type.
pub(super) fn check_generics(input: &DeriveInput, derive: &str, errors: &mut Errors) {
    if !input.generics.params.is_empty() {
        errors.at(
            &input.generics.params,
            format!(
                "`{derive}` cannot be derived for a generic type: a type of Wasm has fields of concrete types"
            ),
        );
    }
}

/// The documentation among `attrs`.
pub(super) fn docs(attrs: &[Attribute]) -> impl Iterator<Item = TokenStream> + '_ {
    attrs.iter().filter(|attr| attr.path().is_ident("doc")).map(ToTokens::to_token_stream)
}

/// Reports a `#[cfg]`.
pub(super) fn check_cfgs(attrs: &[Attribute], errors: &mut Errors) {
    if let Some(cfg) = attrs.iter().find(|attr| attr.path().is_ident("cfg")) {
        errors.at(
            cfg,
            "a field cannot be under a `#[cfg]`: the guest's type has it or has it not; write the type twice, \
             each under its `#[cfg]`",
        );
    }
}

/// The pipeline of both derives. For a type whose declaration has mistakes nothing is generated, so that
/// only they are reported.
pub(super) fn derive<M>(
    item: TokenStream,
    parse: impl FnOnce(&DeriveInput, &mut Errors) -> Option<M>,
    expand: impl FnOnce(&DeriveInput, &M) -> TokenStream,
) -> TokenStream {
    let mut errors = Errors::default();
    let input = syn::parse2::<DeriveInput>(item).map_err(|error| errors.push(error)).ok();
    let model = input.and_then(|input| parse(&input, &mut errors).map(|model| (input, model)));
    let model = model.filter(|_| errors.count() == 0);
    let output = model.map(|(input, model)| expand(&input, &model));
    let errors = errors.finish();
    quote!(#errors #output)
}
