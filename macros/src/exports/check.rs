//! Rules about the struct as a whole. A field stays, whatever is wrong with it, so that its uses are
//! no further mistakes; only an accessor that would clash goes.

use std::collections::HashMap;

use proc_macro2::Span;

use super::model::{Exports, FieldKind};
use crate::errors::Errors;

/// Names of methods that every struct of exports gets.
const TAKEN: [&str; 3] = ["new", "instantiate", "instance"];

/// Checks the rules, in the order in which a reader would.
pub(super) fn check(exports: &mut Exports, errors: &mut Errors) {
    if exports.fields.is_empty() && errors.count() == 0 {
        errors.at(
            &exports.ident,
            "this struct has no exports: add a field for each, as in `run: fn(n: i32) -> i32`",
        );
    }
    check_accessors(exports, errors);
    check_names(exports, errors);
}

fn check_accessors(exports: &mut Exports, errors: &mut Errors) {
    exports.fields.retain(|field| {
        let clash = matches!(field.kind, FieldKind::Item(_))
            && TAKEN.iter().any(|taken| field.ident == taken);
        if clash {
            let name = &field.ident;
            errors.at(
                name,
                format!(
                    "`{name}()` is a method of every struct of exports; call the field something \
                     else and say `#[export(name = \"{}\")]`",
                    field.wasm_name
                ),
            );
        }
        !clash
    });
}

fn check_names(exports: &Exports, errors: &mut Errors) {
    let mut seen: HashMap<String, Span> = HashMap::new();
    // Fields under `#[cfg]` may be alternatives.
    for field in exports.fields.iter().filter(|field| field.cfgs.is_empty()) {
        let text = &field.wasm_name;
        let Some(first) = seen.insert(text.clone(), field.name_span) else { continue };
        let mut error = syn::Error::new(
            field.name_span,
            format!("the export `{text}` is declared twice; keep one"),
        );
        error.combine(syn::Error::new(first, format!("`{text}` is first declared here")));
        errors.push(error);
    }
}
