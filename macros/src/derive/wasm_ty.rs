//! `#[derive(WasmTy)]`: newtypes, field-less enums, and types that convert. Generates safe code over the inner type's own
//! `WasmTy`, and so never sees a raw value.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Data, DataEnum, DeriveInput, Fields, Meta, Path, Type};

use crate::attr::{Args, Keys};
use crate::errors::Errors;
use crate::krate::Krate;
use crate::spans;

const KEYS: Keys = Keys {
    attribute: "#[wasm]",
    known: &["try_from", "into", "crate"],
    later: &[],
    elsewhere: &[(
        "from",
        "`from` is `try_from` as well: every `From` is a `TryFrom`; write `try_from = \"..\"`",
    )],
};

/// The representations that have a Wasm type of their own or fit into one.
const REPRS: [&str; 8] = ["i8", "i16", "i32", "i64", "u8", "u16", "u32", "u64"];

/// Those of 8 and 16 bits.
const NARROW_REPRS: [&str; 4] = ["i8", "i16", "u8", "u16"];

/// Expands `#[derive(WasmTy)] item`.
pub(crate) fn derive(item: TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    let input = match syn::parse2::<DeriveInput>(item) {
        Ok(input) => input,
        Err(error) => {
            errors.push(error);
            return errors.finish();
        }
    };
    let args = wasm_args(&input, &mut errors);
    let krate = args.krate(&mut errors);
    let shape = match conversions(&args, &input, &mut errors) {
        Some(shape) => shape,
        None => shape(&input, &mut errors),
    };
    let output = match &shape {
        Some(Shape::Newtype { field, ty }) => newtype(&input.ident, &krate, field, ty),
        Some(Shape::Enum { repr, variants }) => enumeration(&input.ident, &krate, repr, variants),
        Some(Shape::Converted { from, into }) => converted(&input.ident, &krate, from, into),
        None => fallback(&input, &krate),
    };
    let stored = input.generics.params.is_empty().then(|| stored(&input.ident, &krate, &shape));
    let errors = errors.finish();
    quote!(#errors #output #stored)
}

/// What can travel as another type.
enum Shape {
    Newtype { field: TokenStream, ty: Box<Type> },
    Enum { repr: Ident, variants: Vec<Ident> },
    Converted { from: Box<Type>, into: Box<Type> },
}

fn wasm_args(input: &DeriveInput, errors: &mut Errors) -> Args {
    let mut args = Args::default();
    for attr in input.attrs.iter().filter(|attr| attr.path().is_ident("wasm")) {
        match &attr.meta {
            Meta::List(list) => {
                let more = Args::parse(list.tokens.clone(), &KEYS, errors);
                args.merge(more, errors);
            }
            _ => errors.at(attr, "`#[wasm]` takes arguments: `#[wasm(crate = hostref)]`"),
        }
    }
    args
}

/// What `try_from` and `into` say: `None` if neither is given, and no shape after an error.
fn conversions(args: &Args, input: &DeriveInput, errors: &mut Errors) -> Option<Option<Shape>> {
    let keys = ["try_from", "into"].map(|wanted| args.keys().find(|key| *key == wanted));
    let only = match keys {
        [None, None] => return None,
        [Some(_), Some(_)] => {
            let [from, into] = ["try_from", "into"].map(|key| conversion(args, key, errors));
            let generic = input.generics.params.first();
            if let Some(generic) = generic {
                errors.at(generic, GENERIC);
            }
            let shape = from.zip(into).filter(|_| generic.is_none());
            return Some(shape.map(|(from, into)| Shape::Converted { from, into }));
        }
        [Some(only), None] | [None, Some(only)] => only,
    };
    errors.at(
        only,
        "values go in both directions: write `#[wasm(try_from = \"i32\", into = \"i32\")]`",
    );
    Some(None)
}

fn conversion(args: &Args, key: &str, errors: &mut Errors) -> Option<Box<Type>> {
    let name = args.string(key, errors)?;
    match name.parse::<Type>() {
        Ok(ty) => Some(Box::new(ty)),
        Err(_) => {
            errors.at(&name, format!("`{key}` names a type: write `{key} = \"i32\"`"));
            None
        }
    }
}

const GENERIC: &str =
    "`WasmTy` cannot be derived for a generic type: a Wasm value has one concrete type";

fn shape(input: &DeriveInput, errors: &mut Errors) -> Option<Shape> {
    if !input.generics.params.is_empty() {
        errors.at(&input.generics.params, GENERIC);
        return None;
    }
    match &input.data {
        Data::Struct(data) => newtype_shape(&input.ident, &data.fields, errors),
        Data::Enum(data) => enum_shape(input, data, errors),
        Data::Union(data) => {
            errors.at(
                data.union_token,
                "`WasmTy` cannot be derived for a union; wrap a number in a struct",
            );
            None
        }
    }
}

fn newtype_shape(ident: &Ident, fields: &Fields, errors: &mut Errors) -> Option<Shape> {
    let mut all = fields.iter();
    let (Some(field), None) = (all.next(), all.next()) else {
        errors.at(
            ident,
            format!(
                "`WasmTy` is derived for a struct of one field, and this one has {}; pass several \
                 values as several parameters, or one object as `&{ident}`",
                fields.len()
            ),
        );
        return None;
    };
    let name = match &field.ident {
        Some(name) => quote!(#name),
        None => quote!(0),
    };
    Some(Shape::Newtype { field: name, ty: Box::new(field.ty.clone()) })
}

fn enum_shape(input: &DeriveInput, data: &DataEnum, errors: &mut Errors) -> Option<Shape> {
    let before = errors.count();
    for variant in &data.variants {
        if !matches!(variant.fields, Fields::Unit) {
            errors.at(
                variant,
                "a variant with data is not a Wasm number; pass the value as an object, with `&T`",
            );
        }
    }
    if data.variants.is_empty() {
        errors.at(&input.ident, "an enum without variants has no values to pass");
    }
    let repr = repr(input, errors);
    let variants = data.variants.iter().map(|variant| variant.ident.clone()).collect();
    let repr = repr?;
    (errors.count() == before).then_some(Shape::Enum { repr, variants })
}

/// The integer in `#[repr(..)]`.
fn repr(input: &DeriveInput, errors: &mut Errors) -> Option<Ident> {
    let mut found: Option<Path> = None;
    for attr in input.attrs.iter().filter(|attr| attr.path().is_ident("repr")) {
        // What is no list of words is for rustc to report.
        let _ = attr.parse_nested_meta(|meta| {
            // An alignment changes nothing in Wasm.
            if meta.path.is_ident("align") {
                return meta.input.parse::<proc_macro2::Group>().map(drop);
            }
            found = Some(meta.path);
            Ok(())
        });
    }
    let Some(path) = found else {
        errors.at(
            &input.ident,
            "the numbers of an enum are its ABI: fix their type with `#[repr(i32)]`, `#[repr(u8)]`, ..",
        );
        return None;
    };
    let known = path.get_ident().filter(|ident| REPRS.iter().any(|repr| ident == repr)).cloned();
    if known.is_none() {
        let reprs = REPRS.map(|repr| format!("`{repr}`")).join(", ");
        errors.at(
            &path,
            format!("a Wasm value cannot have this representation; it can have {reprs}"),
        );
    }
    known
}

fn newtype(ident: &Ident, krate: &Krate, field: &TokenStream, ty: &Type) -> TokenStream {
    // All at the field's type, for that is what may be wrong.
    let span = spans::at(ty.span());
    let krate = krate.at(span);
    quote_spanned! {span=>
        #[automatically_derived]
        impl #krate::WasmTy for #ident {
            type Wasm = <#ty as #krate::WasmTy>::Wasm;
            fn into_wasm(self) -> Self::Wasm {
                #krate::WasmTy::into_wasm(self.#field)
            }
            fn try_from_wasm(__wasm: Self::Wasm) -> #krate::Result<Self> {
                #krate::Result::Ok(Self { #field: #krate::WasmTy::try_from_wasm(__wasm)? })
            }
        }
    }
}

fn enumeration(ident: &Ident, krate: &Krate, repr: &Ident, variants: &[Ident]) -> TokenStream {
    let private = krate.private(Span::mixed_site());
    let name = ident.to_string();
    let names = variants.iter().map(ToString::to_string);
    let repr = quote!(::core::primitive::#repr);
    quote! {
        #[automatically_derived]
        impl #krate::WasmTy for #ident {
            type Wasm = <#repr as #krate::WasmTy>::Wasm;
            fn into_wasm(self) -> Self::Wasm {
                <#repr as #krate::WasmTy>::into_wasm(self as #repr)
            }
            fn try_from_wasm(__wasm: Self::Wasm) -> #krate::Result<Self> {
                // All bits are compared: of a narrow representation, too.
                #(if __wasm == <#repr as #krate::WasmTy>::into_wasm(Self::#variants as #repr) {
                    return #krate::Result::Ok(Self::#variants);
                })*
                #krate::Result::Err(#private::unknown_discriminant(
                    #name,
                    &__wasm,
                    &[#((#names, &(Self::#variants as #repr))),*],
                ))
            }
        }
    }
}

fn converted(ident: &Ident, krate: &Krate, from: &Type, into: &Type) -> TokenStream {
    // The macro's own names, whatever a message about their use points at.
    let [this, wasm] = ["self", "__wasm"].map(|name| Ident::new(name, Span::mixed_site()));
    let via = |ty: &Type, function: &str, value: &Ident| {
        spans::call_at(ty, |span| {
            let (private, function) = (krate.private(span), Ident::new(function, span));
            (quote_spanned!(span=> #private::#function::<Self, #ty>), quote!(#value))
        })
    };
    let into_wasm = via(into, "into_wasm_as", &this);
    let try_from_wasm = via(from, "try_from_wasm_as", &wasm);
    quote! {
        #[automatically_derived]
        impl #krate::WasmTy for #ident {
            type Wasm = <#into as #krate::WasmTy>::Wasm;
            fn into_wasm(#this) -> Self::Wasm {
                #into_wasm
            }
            fn try_from_wasm(#wasm: Self::Wasm) -> #krate::Result<Self> {
                #try_from_wasm
            }
        }
    }
}

/// That fields of a guest's structs may be of this type, and be packed if it has few values.
fn stored(ident: &Ident, krate: &Krate, shape: &Option<Shape>) -> TokenStream {
    let private = krate.private(Span::call_site());
    let packed = match shape {
        Some(Shape::Enum { repr, .. }) if NARROW_REPRS.iter().any(|narrow| repr == narrow) => {
            let repr = quote!(::core::primitive::#repr);
            Some(quote! {
                #[automatically_derived]
                impl #private::GcPacked for #ident {
                    type Part = #private::Packed<Self>;
                    type Stored = #repr;
                    fn pack(self) -> #repr {
                        self as #repr
                    }
                    fn unpack(__stored: #repr) -> #krate::Result<Self> {
                        let __wasm = <#repr as #krate::WasmTy>::into_wasm(__stored);
                        <Self as #krate::WasmTy>::try_from_wasm(__wasm)
                    }
                }
            })
        }
        _ => None,
    };
    quote! {
        #[automatically_derived]
        impl #private::DerivesWasmTy for #ident {}
        #packed
    }
}

/// An impl that keeps rustc from reporting the type a second time, where it is used.
fn fallback(input: &DeriveInput, krate: &Krate) -> TokenStream {
    let ident = &input.ident;
    if !input.generics.params.is_empty() {
        // Parameters might have to be bounded first.
        return TokenStream::new();
    }
    quote! {
        #[automatically_derived]
        impl #krate::WasmTy for #ident {
            type Wasm = ::core::primitive::i32;
            fn into_wasm(self) -> Self::Wasm {
                0
            }
            fn try_from_wasm(_: Self::Wasm) -> #krate::Result<Self> {
                ::core::unreachable!("this program does not compile")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::derive;
    use quote::quote;

    #[test]
    fn newtypes_and_enums_are_derived() {
        for item in [
            quote!(
                struct Meters(f64);
            ),
            quote!(
                struct Handle {
                    raw: u32,
                }
            ),
            quote!(
                #[repr(u8)]
                enum Color {
                    Red = 1,
                    Green,
                }
            ),
        ] {
            let output = derive(item);
            assert!(!output.to_string().contains("compile_error"), "{output}");
            syn::parse2::<syn::File>(output).expect("the output is Rust");
        }
    }

    #[test]
    fn other_shapes_are_reported_once_with_an_impl() {
        for item in [
            quote!(
                struct Pair(i32, i32);
            ),
            quote!(
                struct Nothing;
            ),
            quote!(
                struct Generic<T>(T);
            ),
            quote!(
                enum Color {
                    Red,
                }
            ),
            quote!(
                #[repr(u128)]
                enum Color {
                    Red,
                }
            ),
            quote!(
                #[repr(i32)]
                enum Shape {
                    Circle(f64),
                }
            ),
            quote!(
                #[repr(i32)]
                enum Void {}
            ),
            quote!(union U { a: i32 }),
        ] {
            let output = derive(item).to_string();
            assert_eq!(output.matches("compile_error").count(), 1, "{output}");
            assert_eq!(output.contains("WasmTy for"), !output.contains("generic"), "{output}");
        }
    }
}
