//! `#[derive(GcArray)]`: an array type of WebAssembly, its handle, and functions for its elements.

use proc_macro2::{Ident, TokenStream};
use quote::{quote, quote_spanned};
use syn::{
    Data, DeriveInput, Fields, GenericArgument, PathArguments, PathSegment, Type, TypeSlice,
};

use super::gc::{self, Declared, Flags};
use crate::attr::Keys;
use crate::errors::Errors;
use crate::spans;

const KEYS: Keys = Keys {
    attribute: "#[gc]",
    known: &["mut", "packed", "handle", "open", "group", "crate"],
    later: &[],
    elsewhere: &[("base", "arrays are not extended; `base` is for `GcStruct`")],
};

struct Array {
    declared: Declared,
    /// The field that holds the elements, as its type says and as it is named.
    content: Type,
    field: TokenStream,
    element: Type,
    flags: Flags,
}

/// Expands `#[derive(GcArray)] item`.
pub(crate) fn derive(item: TokenStream) -> TokenStream {
    gc::derive(item, parse, expand)
}

fn parse(input: &DeriveInput, errors: &mut Errors) -> Option<Array> {
    gc::check_generics(input, "GcArray", errors);
    let args = gc::args(&input.attrs, &KEYS, errors);
    let declared = Declared::new(input, &args, errors);
    let flags = Flags::new(&args, errors);
    let field = match &input.data {
        Data::Struct(data) => only_field(&data.fields),
        _ => None,
    };
    let Some(field) = field else {
        errors.at(
            &input.ident,
            format!(
                "`GcArray` is derived for a struct of one field that holds the elements: write \
                 `struct {}(Vec<u8>);`",
                input.ident
            ),
        );
        return None;
    };
    gc::check_cfgs(&field.attrs, errors);
    if let Some(attr) = field.attrs.iter().find(|attr| attr.path().is_ident("gc")) {
        errors.at(attr, "an array has one type of elements; `#[gc(..)]` stands on the type");
    }
    let Some(element) = element(&field.ty) else {
        errors.at(&field.ty, "the elements are written as `Vec<E>` or `Box<[E]>`");
        return None;
    };
    let name = match &field.ident {
        Some(name) => quote!(#name),
        None => quote!(0),
    };
    Some(Array { declared, content: field.ty.clone(), field: name, element, flags })
}

fn only_field(fields: &Fields) -> Option<&syn::Field> {
    let mut fields = fields.iter();
    fields.next().filter(|_| fields.next().is_none())
}

/// The `E` of `Vec<E>` and of `Box<[E]>`. How the elements are held is part of the form of the
/// declaration, like the field itself.
fn element(ty: &Type) -> Option<Type> {
    match ty {
        Type::Group(group) => element(&group.elem),
        Type::Path(path) => {
            let PathSegment { ident, arguments } = path.path.segments.last()?;
            let PathArguments::AngleBracketed(arguments) = arguments else { return None };
            let Some(GenericArgument::Type(argument)) = arguments.args.first() else { return None };
            match argument {
                Type::Slice(TypeSlice { elem, .. }) if ident == "Box" => Some((**elem).clone()),
                other if ident == "Vec" => Some(other.clone()),
                _ => None,
            }
        }
        _ => None,
    }
}

fn expand(input: &DeriveInput, model: &Array) -> TokenStream {
    let Array { declared, element, flags, .. } = model;
    let ident = &input.ident;
    let here = spans::at(ident.span());
    let (at, private) = (declared.krate.at(here), declared.krate.private(here));
    let root = quote_spanned!(here=> #at::Rooted<#at::ArrayRef<#ident>>);
    let marker = flags.marker(&declared.krate, element);
    let mutability = flags.mutability(&declared.krate, here);
    let define =
        quote_spanned!(here=> #private::define_element(__definition, #marker, #mutability););
    let definition = declared.definition(ident, &[define]);
    let handle = declared.handle(input, &root, "an array");
    let functions = functions(input, model);
    let items = quote_spanned! {here=>
        #definition
        #functions
    };
    let items = gc::in_scope(&declared.krate, here, &items);
    quote_spanned! {here=>
        #[automatically_derived]
        impl #private::GcArray for #ident {}

        #[automatically_derived]
        impl #private::GcArrayOf<#element> for #ident {}

        #handle
        #items
    }
}

/// The functions of the handle.
fn functions(input: &DeriveInput, model: &Array) -> TokenStream {
    let Array { declared: Declared { krate, handle, .. }, content, field, element, flags } = model;
    let (ident, vis) = (&input.ident, &input.vis);
    let here = spans::at(ident.span());
    let (at, private) = (krate.at(here), krate.private(here));
    let [new, load, get, set, from_slice] =
        ["new", "load", "get", "set", "from_slice"].map(|name| Ident::new(name, ident.span()));
    let name = ident.to_string();
    let [make, read, read_one, write_one] = [(); 4].map(|()| flags.marker(krate, element));
    let set = flags.mutable.then(|| {
        quote_spanned! {here=>
            /// Changes the element at `index`.
            ///
            /// # Errors
            ///
            /// If there is none; if the array or the value is not rooted any more or belongs to another store.
            #vis fn #set(
                &self,
                __store: impl #at::AsContextMut,
                __index: ::core::primitive::u32,
                __value: #element,
            ) -> #at::Result<()> {
                #private::set_element(#write_one, self.0, __store, __index, #name, __value)
            }
        }
    });
    quote_spanned! {here=>
        #[allow(dead_code, private_interfaces, reason = "generated by #[derive(GcArray)]")]
        impl #handle {
            /// A new array with the elements of the value, rooted in the current scope.
            ///
            /// # Errors
            ///
            /// `GcHeapOutOfMemory` when the heap is full; if a reference in it is not rooted any more or
            /// belongs to another store.
            #vis fn #new(__store: impl #at::AsContextMut, __value: #ident) -> #at::Result<Self> {
                let __elements = ::core::convert::Into::into(__value.#field);
                #private::array_of(#make, __store, __elements).map(Self)
            }

            /// A new array with these numbers, copied at once, rooted in the current scope.
            ///
            /// # Errors
            ///
            /// `GcHeapOutOfMemory` when the heap is full.
            #vis fn #from_slice<__E: #at::GcNumber>(
                __store: impl #at::AsContextMut,
                __values: &[__E],
            ) -> #at::Result<Self>
            where
                #ident: #private::GcArrayOf<__E>,
            {
                #private::array_from_slice(__store, __values).map(Self)
            }

            /// All elements, copied. References among them are rooted in the current scope.
            ///
            /// # Errors
            ///
            /// If the array is not rooted any more or belongs to another store, or an element is not of its
            /// Rust type.
            #vis fn #load(&self, __store: impl #at::AsContextMut) -> #at::Result<#ident> {
                let __elements = #private::load_array(#read, self.0, __store, #name)?;
                let __elements: #content = ::core::convert::Into::into(__elements);
                #at::Result::Ok(#ident { #field: __elements })
            }

            /// The element at `index`; a reference is rooted in the current scope.
            ///
            /// # Errors
            ///
            /// As `load`, and if there is none.
            #vis fn #get(
                &self,
                __store: impl #at::AsContextMut,
                __index: ::core::primitive::u32,
            ) -> #at::Result<#element> {
                #private::element(#read_one, self.0, __store, __index, #name)
            }

            #set
        }
    }
}

#[cfg(test)]
mod tests {
    use super::derive;
    use quote::quote;

    #[test]
    fn arrays_of_all_forms_are_derived() {
        for item in [
            quote!(
                #[gc(mut)]
                pub struct Bytes(Vec<u8>);
            ),
            quote!(
                #[gc(packed, handle = Bits, open)]
                struct Flags {
                    all: std::boxed::Box<[bool]>,
                }
            ),
        ] {
            let output = derive(item);
            let text = output.to_string();
            assert!(!text.contains("compile_error"), "{text}");
            syn::parse2::<syn::File>(output).expect("the output is Rust");
        }
    }

    #[test]
    fn each_mistake_is_reported_once() {
        for item in [
            quote!(
                struct Generic<T>(Vec<T>);
            ),
            quote!(
                struct Two(Vec<u8>, Vec<u8>);
            ),
            quote!(
                enum Bytes {
                    None,
                }
            ),
            quote!(
                struct Number(u8);
            ),
            quote!(
                struct Bytes(#[gc(mut)] Vec<u8>);
            ),
            quote!(
                #[gc(mutable)]
                struct Bytes(Vec<u8>);
            ),
        ] {
            let output = derive(item).to_string();
            assert_eq!(output.matches("compile_error").count(), 1, "{output}");
        }
    }
}
