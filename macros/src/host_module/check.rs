//! Rules about the block as a whole. Methods whose receiver is unknown are taken out.

use std::collections::HashMap;

use proc_macro2::Span;

use super::model::{Function, HostModule, ReceiverKind};
use crate::errors::Errors;

/// Checks the rules, in the order in which a reader would.
pub(super) fn check(module: &mut HostModule, errors: &mut Errors) {
    check_receiver(module, errors);
    check_names(module, errors);
}

fn check_receiver(module: &mut HostModule, errors: &mut Errors) {
    if module.receiver.is_some() {
        return;
    }
    let first = module.functions.iter().find_map(|function| function.receiver.as_ref());
    if let Some(receiver) = first {
        errors.at(
            &receiver.tokens,
            "what is `self`? Say `#[host_module(receiver = \"object\")]` when the guest passes it as an \
             externref in the first parameter, or `receiver = \"state\"` when it is a part of the store's data",
        );
        // One message stands for all: they have one answer.
        module.functions.retain(|function| function.receiver.is_none());
    }
}

fn check_names(module: &HostModule, errors: &mut Errors) {
    let functions = module.functions.iter().map(|it| (&it.wasm_name, it.cfgs.is_empty(), true));
    let globals = module.globals.iter().map(|it| (&it.wasm_name, it.cfgs.is_empty(), false));
    let mut seen: HashMap<&str, (Span, bool)> = HashMap::new();
    for (name, always, function) in functions.chain(globals) {
        // Items under `#[cfg]` may be alternatives; if not, the linker reports them.
        if !always {
            continue;
        }
        let text = &name.text;
        let Some((first, was)) = seen.insert(text, (name.span, function)) else { continue };
        let what = if function && was { "functions" } else { "items" };
        let mut error = syn::Error::new(
            name.span,
            format!(
                "two {what} are called `{text}` in Wasm; rename one with `#[host(name = \"..\")]`"
            ),
        );
        error.combine(syn::Error::new(first, format!("`{text}` is first defined here")));
        errors.push(error);
    }
}

/// Whether a method reaches `self` through the store's data.
pub(super) fn is_state(module: &HostModule, function: &Function) -> bool {
    function.receiver.is_some() && module.receiver == Some(ReceiverKind::State)
}
