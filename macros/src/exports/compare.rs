//! `check = ".."`: the exports of a guest against the struct. Names and kinds of functions are compared
//! here; types, and the kinds of other fields, by rustc.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote, quote_spanned};

use super::model::{Exports, Field, FieldKind, Found, Function};
use crate::errors::Errors;
use crate::guest::{Entity, Export, FuncType, Guest};
use crate::krate::Krate;
use crate::nearest::nearest;
use crate::spans;

/// Reports functions that the guest does not export, and notes what it exports.
pub(super) fn compare(exports: &mut Exports, errors: &mut Errors) {
    let Some(guest) = &exports.guest else { return };
    for field in &mut exports.fields {
        let export = guest.exports.iter().find(|export| export.name == field.wasm_name);
        let found = match export {
            Some(export) => Found::Export(export.entity.clone()),
            None => Found::Nothing,
        };
        if let FieldKind::Function(function) = &field.kind {
            let problem = check_function(guest, field, function, &found)
                .or_else(|| check_alloc(guest, function.alloc.as_deref()?));
            let error = problem.map(|message| syn::Error::new(field.name_span, message));
            match (error, &field.cfgs[..]) {
                (Some(error), []) => errors.push(error),
                (Some(error), cfgs) => {
                    let error = error.to_compile_error();
                    exports.late.extend(quote!(#(#cfgs)* #error));
                }
                (None, _) => {}
            }
        }
        field.found = Some(found);
    }
}

/// What is wrong with the export, if anything.
fn check_function(
    guest: &Guest,
    field: &Field,
    function: &Function,
    found: &Found,
) -> Option<String> {
    let (path, name) = (guest.path.value(), &field.wasm_name);
    match found {
        Found::Nothing if function.optional => None,
        Found::Nothing => {
            let names = guest.exports.iter().map(|export| export.name.as_str());
            let hint = match nearest(name, names) {
                Some(meant) => format!("; a similar name is `{meant}`"),
                None => "; if a guest may do without it, declare it `Option<fn(..)>`".to_owned(),
            };
            Some(format!("`{path}` does not export `{name}`{hint}"))
        }
        Found::Export(Entity::Func(_)) => None,
        Found::Export(other) => {
            Some(format!("`{path}` exports `{name}` as {other}, and a function is declared"))
        }
    }
}

/// What is wrong with the allocator `name` and the memory it allocates in, if anything.
fn check_alloc(guest: &Guest, name: &str) -> Option<String> {
    let path = guest.path.value();
    let find = |name| guest.exports.iter().find(|export| export.name == name);
    match (find(name), find("memory")) {
        (
            Some(Export { entity: Entity::Func(_), .. }),
            Some(Export { entity: Entity::Memory, .. }),
        ) => None,
        (Some(Export { entity: Entity::Func(_), .. }), _) => Some(format!(
            "`{path}` exports no `memory` that the function `{name}` could allocate in"
        )),
        _ => Some(format!("`{path}` exports no function `{name}` to allocate with")),
    }
}

/// Statements that compare the markers of a function's types with the guest's.
pub(super) fn types(
    krate: &Krate,
    field: &Field,
    function: &Function,
    ty: &FuncType,
) -> TokenStream {
    let here = spans::at(field.ident.span());
    let private = krate.private(here);
    let list = ty.params_list(krate, here);
    let params = function.params.iter().enumerate().map(|(position, param)| {
        let compared = spans::call_at(&param.ty, |span| {
            let private = krate.private(span);
            let position = syn::Index { index: position as u32, span };
            let param =
                quote_spanned!(span=> #private::export_param(__guest, &__arguments.#position));
            (quote_spanned!(span=> #param.export_param), quote!())
        });
        quote_spanned!(here=> let __guest = #compared;)
    });
    let result = match &function.result {
        Some(ty) => ty.to_token_stream(),
        None => field.ident.to_token_stream(),
    };
    let outcome = spans::call_at(&result, |span| {
        let private = krate.private(span);
        let results = ty.results_tuple(krate, span);
        let result = quote_spanned!(span=> #private::export_result::<#results, _>(&__outcome));
        (quote_spanned!(span=> #result.export_result), quote!())
    });
    quote_spanned! {here=>
        let __guest = #private::guest::<#list>();
        #(#params)*
        __guest.end();
        #outcome;
    }
}
