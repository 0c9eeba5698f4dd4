//! From tokens to the model. The only file that reads attributes; judges one field at a time and
//! leaves out what it had to report.

use proc_macro2::{Span, TokenStream};
use quote::format_ident;
use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::{
    Attribute, Fields, FieldsNamed, GenericArgument, Item, ItemStruct, LitStr, Meta, NamedArg,
    PathArguments, ReturnType, Type, TypeFnPtr,
};

use super::model::{Exports, Field, FieldKind, Function, Param};
use crate::attr::{Args, Keys};
use crate::case::Case;
use crate::errors::Errors;
use crate::guest::Guest;
use crate::{cfgs, item, lifetimes};

const STRUCT: Keys = Keys {
    attribute: "#[wasm_exports]",
    known: &["rename_all", "check", "crate"],
    later: &[],
    elsewhere: &[],
};

const FIELD: Keys =
    Keys { attribute: "#[export]", known: &["name", "alloc"], later: &[], elsewhere: &[] };

/// The most parameters that a typed call can have.
const MOST_PARAMS: usize = 16;

/// Reads the arguments and the struct. `None`, after an error, when the item is not such a struct.
pub(super) fn parse(
    arguments: TokenStream,
    item: TokenStream,
    errors: &mut Errors,
) -> Option<Exports> {
    let args = Args::parse(arguments, &STRUCT, errors);
    let item = parse_struct(item, errors)?;
    let Fields::Named(fields) = item.fields else {
        errors.at(
            &item.ident,
            "`#[wasm_exports]` needs a struct with named fields, one for each export: \
             `struct Guest { run: fn(n: i32) -> i32 }`",
        );
        return None;
    };
    let case = args.rename_all(errors);
    Some(Exports {
        krate: args.krate(errors),
        guest: args.string("check", errors).and_then(|path| Guest::read(path, errors)),
        attrs: item.attrs,
        vis: item.vis,
        ident: item.ident,
        fields: parse_fields(fields, case, errors),
        late: TokenStream::new(),
    })
}

fn parse_struct(item: TokenStream, errors: &mut Errors) -> Option<ItemStruct> {
    let item = match syn::parse2::<Item>(item) {
        Ok(Item::Struct(item)) => item,
        Ok(other) => {
            let found = item::describe(&other);
            let message = format!(
                "`#[wasm_exports]` belongs on a struct with a field for each export; this is {found}"
            );
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
            "a struct of exports cannot be generic: a guest exports concrete types; name them",
        );
        return None;
    }
    Some(item)
}

fn parse_fields(fields: FieldsNamed, case: Case, errors: &mut Errors) -> Vec<Field> {
    fields.named.into_iter().map(|field| parse_field(field, case, errors)).collect()
}

fn parse_field(mut field: syn::Field, case: Case, errors: &mut Errors) -> Field {
    let args = take_export_args(&mut field.attrs, errors);
    let name = args.string("name", errors);
    let alloc = args.string("alloc", errors);
    let ident = field.ident.expect("named fields have names");
    let (wasm_name, name_span) = match name {
        Some(name) => (name.value(), name.span()),
        None => (case.apply(&ident.unraw().to_string()), ident.span()),
    };
    Field {
        cfgs: cfgs::of(&field.attrs),
        docs: field.attrs.into_iter().filter(|attr| attr.path().is_ident("doc")).collect(),
        vis: field.vis,
        ident,
        wasm_name,
        name_span,
        kind: parse_kind(field.ty, alloc, errors),
        found: None,
    }
}

fn parse_kind(ty: Type, alloc: Option<LitStr>, errors: &mut Errors) -> FieldKind {
    if let Some(function) = as_function(&ty) {
        return FieldKind::Function(parse_function(function, false, alloc, errors));
    }
    if let Some(alloc) = &alloc {
        errors.at(
            alloc,
            "`alloc` is for functions that take text or bytes: `send: fn(text: &str)`; remove it",
        );
    }
    if let Some(function) = optional_content(&ty).and_then(as_function) {
        return FieldKind::Function(parse_function(function, true, None, errors));
    }
    FieldKind::Item(ty)
}

/// `ty` as a function pointer, looking through the groups that `macro_rules!` makes.
fn as_function(ty: &Type) -> Option<&TypeFnPtr> {
    match ty {
        Type::FnPtr(function) => Some(function),
        Type::Group(group) => as_function(&group.elem),
        Type::Paren(paren) => as_function(&paren.elem),
        _ => None,
    }
}

/// The `X` of `Option<X>`. A function pointer in something else of that name means nothing, so
/// going by the name takes nothing away.
fn optional_content(ty: &Type) -> Option<&Type> {
    generic_argument(ty, "Option")
}

/// The first type argument of a path that ends in `name`.
fn generic_argument<'a>(ty: &'a Type, name: &str) -> Option<&'a Type> {
    match ty {
        Type::Group(group) => generic_argument(&group.elem, name),
        Type::Path(path) => {
            let last = path.path.segments.last().filter(|last| last.ident == name)?;
            let PathArguments::AngleBracketed(arguments) = &last.arguments else { return None };
            arguments.args.iter().find_map(|argument| match argument {
                GenericArgument::Type(ty) => Some(ty),
                _ => None,
            })
        }
        _ => None,
    }
}

fn parse_function(
    function: &TypeFnPtr,
    optional: bool,
    alloc: Option<LitStr>,
    errors: &mut Errors,
) -> Function {
    let before = errors.count();
    if let Some(token) = &function.unsafety {
        errors.at(token, "calling a guest is always safe; remove `unsafe`");
    }
    if let Some(abi) = &function.abi {
        errors.at(abi, "an export is declared as a plain `fn(..)`; remove the `extern`");
    }
    if let Some(lifetimes) = &function.lifetimes {
        errors.at(
            lifetimes,
            "nothing that is borrowed can be passed to a guest; remove the `for<..>`",
        );
    }
    if let Some(variadic) = &function.variadic {
        errors.at(variadic, "a Wasm function has a fixed number of parameters; remove the `...`");
    }
    if let Some(extra) = function.inputs.iter().nth(MOST_PARAMS) {
        errors.at(
            extra,
            format!("a typed call has at most {MOST_PARAMS} parameters; use `Func::call`"),
        );
    }
    let params = function.inputs.iter().enumerate();
    let has_alloc = alloc.is_some();
    let params = params.map(|(position, param)| {
        let mut param = parse_param(position, param, has_alloc, errors);
        param.ty = lifetimes::infer_bound(&param.ty, function.lifetimes.as_ref());
        param
    });
    let params = params.collect();
    let result = parse_result(&function.output, errors);
    let alloc = alloc.map(|name| name.value());
    Function { params, result, optional, alloc, broken: errors.count() != before }
}

fn parse_param(position: usize, param: &NamedArg, has_alloc: bool, errors: &mut Errors) -> Param {
    if let Type::Reference(reference) = optional_content(&param.ty).unwrap_or(&param.ty)
        && !(has_alloc && matches!(param.ty, Type::Reference(_)))
    {
        errors.at(
            reference,
            "a reference cannot be passed to a guest: pass `Rooted<ExternRef<T>>` for an object that \
             the store has, or `New<T>` to give it a new one; `&str` and `&[u8]` need \
             `#[export(alloc = \"..\")]` with the name of the guest's allocator",
        );
    }
    let ident = match &param.name {
        Some((name, _)) if name != "_" => name.clone(),
        _ => format_ident!("arg{position}", span = Span::mixed_site().located_at(param.ty.span())),
    };
    Param { ident, ty: param.ty.clone() }
}

fn parse_result(output: &ReturnType, errors: &mut Errors) -> Option<Type> {
    let ReturnType::Type(_, ty) = output else { return None };
    // No result type is generic over types and called so, whatever it is.
    if let Some(content) = generic_argument(ty, "Result") {
        errors.at(
            ty,
            "every `call_*` method returns a `hostref::Result` already; declare the Wasm result alone",
        );
        return Some(content.clone());
    }
    Some((**ty).clone())
}

/// Removes `#[export(..)]` from `attrs` and reads it.
fn take_export_args(attrs: &mut Vec<Attribute>, errors: &mut Errors) -> Args {
    let mut args = Args::default();
    for attr in attrs.extract_if(.., |attr| attr.path().is_ident("export")) {
        match &attr.meta {
            Meta::List(list) => {
                let more = Args::parse(list.tokens.clone(), &FIELD, errors);
                args.merge(more, errors);
            }
            _ => errors.at(&attr, "`#[export]` takes arguments: `#[export(name = \"..\")]`"),
        }
    }
    args
}
