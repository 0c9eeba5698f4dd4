//! `#[derive(GcStruct)]`: a struct type of WebAssembly, its handle, and functions for its fields.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote_spanned};
use syn::ext::IdentExt;
use syn::{Attribute, Data, DeriveInput, Fields, Type, Visibility};

use super::gc::{self, Declared, Flags};
use crate::attr::Keys;
use crate::errors::Errors;
use crate::spans;

const KEYS: Keys = Keys {
    attribute: "#[gc]",
    known: &["handle", "open", "group", "crate"],
    later: &[],
    elsewhere: &[
        ("mut", "`mut` stands on the fields that may change"),
        ("packed", "`packed` stands on fields"),
        ("base", "`base` stands on the first field, whose type is the supertype"),
    ],
};

const FIELD: Keys = Keys {
    attribute: "#[gc]",
    known: &["mut", "packed", "base"],
    later: &[],
    elsewhere: &[
        ("handle", "`handle` stands on the type"),
        ("open", "`open` stands on the type"),
        ("group", "`group` stands on the type"),
        ("crate", "`crate` stands on the type"),
    ],
};

/// Functions of the handle that no field may take the name of.
const TAKEN: [&str; 2] = ["new", "load"];

struct Field {
    ident: Ident,
    vis: Visibility,
    attrs: Vec<Attribute>,
    ty: Type,
    flags: Flags,
}

struct Struct {
    declared: Declared,
    /// The first field, if its type is the supertype.
    base: Option<Field>,
    fields: Vec<Field>,
}

/// Expands `#[derive(GcStruct)] item`.
pub(crate) fn derive(item: TokenStream) -> TokenStream {
    gc::derive(item, parse, expand)
}

fn parse(input: &DeriveInput, errors: &mut Errors) -> Option<Struct> {
    gc::check_generics(input, "GcStruct", errors);
    let args = gc::args(&input.attrs, &KEYS, errors);
    let declared = Declared::new(input, &args, errors);
    let fields = match &input.data {
        Data::Struct(data) => match &data.fields {
            Fields::Named(fields) => fields.named.iter().collect(),
            Fields::Unit => Vec::new(),
            Fields::Unnamed(_) => {
                errors.at(
                    &input.ident,
                    "the fields need names, which become functions: write `struct Point { x: f64, y: f64 }`; \
                     for an array derive `GcArray`",
                );
                return None;
            }
        },
        Data::Enum(data) => {
            errors.at(
                data.enum_token,
                "`GcStruct` is derived for a struct; for variants declare one struct with `#[gc(open)]`, and \
                 others that extend it",
            );
            return None;
        }
        Data::Union(data) => {
            errors.at(data.union_token, "`GcStruct` is derived for a struct");
            return None;
        }
    };
    let mut base = None;
    let mut parsed = Vec::new();
    for (position, field) in fields.into_iter().enumerate() {
        let (field, is_base) = parse_field(field, position, errors);
        match is_base {
            true => base = Some(field),
            false => parsed.push(field),
        }
    }
    Some(Struct { declared, base, fields: parsed })
}

/// The field, and whether its type is the supertype.
fn parse_field(field: &syn::Field, position: usize, errors: &mut Errors) -> (Field, bool) {
    let ident = field.ident.clone().expect("named fields have names");
    gc::check_cfgs(&field.attrs, errors);
    let args = gc::args(&field.attrs, &FIELD, errors);
    let flags = Flags::new(&args, errors);
    let base = args.flag("base", errors);
    if TAKEN.iter().any(|taken| ident == taken) {
        errors.at(
            &ident,
            format!("the handle has a function `{ident}` already; give the field another name"),
        );
    }
    match &base {
        Some(base) if position != 0 => {
            errors.at(base, "the fields of the supertype come first: make this the first field");
        }
        Some(base) if flags.mutable || flags.packed => {
            errors.at(base, "the supertype says which of its fields are `mut` or `packed`");
        }
        _ => {}
    }
    let (vis, attrs, ty) = (field.vis.clone(), field.attrs.clone(), field.ty.clone());
    (Field { ident, vis, attrs, ty, flags }, base.is_some())
}

fn expand(input: &DeriveInput, model: &Struct) -> TokenStream {
    let Struct { declared, base, fields } = model;
    let ident = &input.ident;
    let here = spans::at(ident.span());
    let (at, private) = (declared.krate.at(here), declared.krate.private(here));
    let root = quote_spanned!(here=> #at::Rooted<#at::StructRef<#ident>>);
    let mut parts = Vec::new();
    parts.extend(
        base.iter().map(|Field { ty, .. }| quote_spanned!(here=> __definition.base::<#ty>();)),
    );
    parts.extend(fields.iter().map(|field| {
        let marker = field.flags.marker(&declared.krate, &field.ty);
        let mutability = field.flags.mutability(&declared.krate, here);
        let name = field.ident.unraw().to_string();
        quote_spanned!(here=> #private::define_field(__definition, #marker, #name, #mutability);)
    }));
    let definition = declared.definition(ident, &parts);
    let handle = declared.handle(input, &root, "a struct");
    let values = values(ident, model, here);
    let functions = functions(input, model, here);
    let base_is_open = model.base.iter().map(|Field { ty, .. }| {
        spans::call_at(ty, |span| {
            let private = declared.krate.private(span);
            (
                quote_spanned!(span=> ::core::assert!),
                quote_spanned!(span=>
                    <#ty as #private::GcFields>::OPEN,
                    "a type that others extend says `#[gc(open)]`"
                ),
            )
        })
    });
    let items = quote_spanned! {here=>
        #definition
        #values
        #functions
    };
    let items = gc::in_scope(&declared.krate, here, &items);
    quote_spanned! {here=>
        #(const _: () = #base_is_open;)*

        #[automatically_derived]
        impl #private::GcStruct for #ident {}

        #handle
        #items
    }
}

/// Where a field lies: behind those of the supertype.
fn index(model: &Struct, position: usize, here: Span) -> TokenStream {
    let private = model.declared.krate.private(here);
    match &model.base {
        Some(Field { ty, .. }) => {
            quote_spanned!(here=> <#ty as #private::GcFields>::LEN + #position)
        }
        None => quote_spanned!(here=> #position),
    }
}

/// The whole struct as a Rust value.
fn values(ident: &Ident, model: &Struct, here: Span) -> TokenStream {
    let Struct { declared: Declared { krate, .. }, base, fields } = model;
    let (at, private) = (krate.at(here), krate.private(here));
    let len = index(model, fields.len(), here);
    let open = model.declared.open;
    let write_base = base.iter().map(|Field { ident, ty, .. }| {
        quote_spanned! {here=>
            let __writer = <#ty as #private::GcFields>::write(self.#ident, __writer)?;
        }
    });
    let write = fields.iter().map(|field| {
        let (name, marker) = (&field.ident, field.flags.marker(krate, &field.ty));
        quote_spanned!(here=> let __writer = #private::write_field(__writer, #marker, self.#name)?;)
    });
    let read_base = base.iter().map(|Field { ident, ty, .. }| {
        quote_spanned!(here=> #ident: <#ty as #private::GcFields>::read(__root, __store)?,)
    });
    let read = fields.iter().enumerate().map(|(position, field)| {
        let (name, marker) = (&field.ident, field.flags.marker(krate, &field.ty));
        let (index, text) = (index(model, position, here), name.unraw().to_string());
        quote_spanned! {here=>
            #name: #private::field(#marker, __root, &mut *__store, #index, #text)?,
        }
    });
    quote_spanned! {here=>
        #[automatically_derived]
        impl #private::GcFields for #ident {
            const LEN: ::core::primitive::usize = #len;
            const OPEN: ::core::primitive::bool = #open;

            fn write<'__a, __T: #private::GcStruct, __U: 'static>(
                self,
                __writer: #private::StructWriter<'__a, __T, __U>,
            ) -> #at::Result<#private::StructWriter<'__a, __T, __U>> {
                #(#write_base)*
                #(#write)*
                #at::Result::Ok(__writer)
            }

            #[allow(unused_variables, reason = "there may be no fields")]
            fn read<__T: #private::GcStruct, __U: 'static>(
                __root: #at::Rooted<#at::StructRef<__T>>,
                __store: &mut #at::StoreContextMut<'_, __U>,
            ) -> #at::Result<Self> {
                #at::Result::Ok(Self { #(#read_base)* #(#read)* })
            }
        }
    }
}

/// The functions of the handle.
fn functions(input: &DeriveInput, model: &Struct, here: Span) -> TokenStream {
    let Struct { declared: Declared { krate, handle, .. }, base, fields } = model;
    let (ident, vis) = (&input.ident, &input.vis);
    let (at, private) = (krate.at(here), krate.private(here));
    let [new, load] = ["new", "load"].map(|name| Ident::new(name, ident.span()));
    let base = base.iter().map(|Field { ident, vis, attrs, ty, .. }| {
        let docs = gc::docs(attrs);
        quote_spanned! {here=>
            #(#docs)*
            #[doc = "\nThe same struct as one of its supertype."]
            #vis fn #ident(
                &self,
                __store: impl #at::AsContext,
            ) -> #at::Result<<#ty as #private::ByHandle>::Handle> {
                #private::base::<#ty>(self.0, __store)
            }
        }
    });
    let fields =
        fields.iter().enumerate().map(|(position, field)| accessors(model, field, position, here));
    quote_spanned! {here=>
        #[allow(dead_code, private_interfaces, reason = "generated by #[derive(GcStruct)]")]
        impl #handle {
            /// A new struct with the fields of the value, rooted in the current scope.
            ///
            /// # Errors
            ///
            /// `GcHeapOutOfMemory` when the heap is full; if a reference in it is not rooted any more or
            /// belongs to another store.
            #vis fn #new(__store: impl #at::AsContextMut, __value: #ident) -> #at::Result<Self> {
                #private::new_struct(__store, __value).map(Self)
            }

            /// All fields, copied. References among them are rooted in the current scope.
            ///
            /// # Errors
            ///
            /// If the struct is not rooted any more or belongs to another store, or a field is not of its
            /// Rust type.
            #vis fn #load(&self, __store: impl #at::AsContextMut) -> #at::Result<#ident> {
                #private::load_struct(self.0, __store)
            }

            #(#base)*
            #(#fields)*
        }
    }
}

/// The functions that read and write one field.
fn accessors(model: &Struct, field: &Field, position: usize, here: Span) -> TokenStream {
    let Field { ident, vis, attrs, ty, flags } = field;
    let krate = &model.declared.krate;
    let (at, private) = (krate.at(here), krate.private(here));
    let (index, name) = (index(model, position, here), ident.unraw().to_string());
    let docs: Vec<_> = gc::docs(attrs).collect();
    let get_docs = match docs.is_empty() {
        true => format!("The field `{name}`."),
        false => String::new(),
    };
    let marker = flags.marker(krate, ty);
    let set = flags.mutable.then(|| {
        let marker = flags.marker(krate, ty);
        let set = format_ident!("set_{}", ident.unraw(), span = ident.span());
        let docs = format!("Changes the field `{name}`.");
        quote_spanned! {here=>
            #[doc = #docs]
            ///
            /// # Errors
            ///
            /// If the struct or the value is not rooted any more or belongs to another store.
            #vis fn #set(&self, __store: impl #at::AsContextMut, __value: #ty) -> #at::Result<()> {
                #private::set_field(#marker, self.0, __store, #index, #name, __value)
            }
        }
    });
    quote_spanned! {here=>
        #(#docs)*
        #[doc = #get_docs]
        ///
        /// # Errors
        ///
        /// If the struct is not rooted any more or belongs to another store, or the field is not of its Rust
        /// type.
        #vis fn #ident(&self, __store: impl #at::AsContextMut) -> #at::Result<#ty> {
            #private::field(#marker, self.0, __store, #index, #name)
        }
        #set
    }
}

#[cfg(test)]
mod tests {
    use super::derive;
    use quote::quote;

    #[test]
    fn structs_of_all_forms_are_derived() {
        for item in [
            quote!(
                struct Empty;
            ),
            quote!(
                #[gc(open, handle = P, group = (Point, Other), crate = renamed)]
                pub struct Point {
                    /// Documented.
                    pub x: f64,
                    #[gc(mut)]
                    y: Option<P>,
                    #[gc(mut, packed)]
                    r#type: bool,
                }
            ),
            quote!(
                struct Circle {
                    #[gc(base)]
                    shape: Shape,
                    radius: f64,
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
                struct Generic<T> {
                    value: T,
                }
            ),
            quote!(
                enum Shape {
                    Point,
                }
            ),
            quote!(
                struct Pair(i32, i32);
            ),
            quote!(
                struct Late {
                    radius: f64,
                    #[gc(base)]
                    shape: Shape,
                }
            ),
            quote!(
                struct Taken {
                    new: f64,
                }
            ),
            quote!(
                #[gc(mut)]
                struct Whole {
                    x: f64,
                }
            ),
            quote!(
                struct Configured {
                    #[cfg(unix)]
                    x: f64,
                }
            ),
        ] {
            let output = derive(item).to_string();
            assert_eq!(output.matches("compile_error").count(), 1, "{output}");
        }
    }
}
