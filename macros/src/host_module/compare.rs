//! `check = ".."`: the imports of a guest against the block. Names and kinds are compared here, types
//! by rustc, with the help of what `expand` writes.

use syn::Attribute;

use super::model::HostModule;
use crate::cfgs;
use crate::errors::Errors;
use crate::guest::{Entity, FuncType, Guest, Import};
use crate::nearest::nearest;

/// Reports imports that the block does not satisfy, and notes the types of the others.
pub(super) fn compare(module: &mut HostModule, errors: &mut Errors) {
    let Some(guest) = module.guest.take() else { return };
    let mut any = false;
    for import in &guest.imports {
        if import.module != module.name {
            continue;
        }
        any = true;
        match &import.entity {
            Entity::Func(ty) => {
                let found = note_type(module, &import.name, ty);
                let error = || missing(module, &guest, import);
                if !found.is_empty() && found.iter().all(|cfgs| !cfgs.is_empty()) {
                    let late = cfgs::error_unless(found.iter().map(|cfgs| &cfgs[..]), &error());
                    module.late.extend(late);
                } else if found.is_empty() && !module.broken.contains(&import.name) {
                    errors.push(error());
                }
            }
            Entity::Global if module.globals.iter().any(|it| it.wasm_name.text == import.name) => {}
            other => wrong_kind(module, &guest, import, other, errors),
        }
    }
    if !any {
        nothing_imported(module, &guest, errors);
    }
    module.guest = Some(guest);
}

/// Notes that the guest imports the functions called `name` with type `ty`, and gives the `#[cfg]`
/// attributes of each.
fn note_type(module: &mut HostModule, name: &str, ty: &FuncType) -> Vec<Vec<Attribute>> {
    let mut found = Vec::new();
    for function in module.functions.iter_mut().filter(|it| it.wasm_name.text == name) {
        found.push(function.cfgs.clone());
        if !function.imported_as.contains(ty) {
            function.imported_as.push(ty.clone());
        }
    }
    found
}

fn missing(module: &HostModule, guest: &Guest, import: &Import) -> syn::Error {
    let Import { name, entity, .. } = import;
    let names = module.functions.iter().map(|function| function.wasm_name.text.as_str());
    let hint = match nearest(name, names.filter(|known| known != name)) {
        Some(meant) => format!("; a similar name is `{meant}`"),
        None => String::new(),
    };
    let (path, module) = (guest.path.value(), &module.name);
    syn::Error::new_spanned(
        &guest.path,
        format!(
            "`{path}` imports `{module}::{name}`, {entity}, which this block does not have{hint}"
        ),
    )
}

fn wrong_kind(
    module: &HostModule,
    guest: &Guest,
    import: &Import,
    kind: &Entity,
    errors: &mut Errors,
) {
    let name = &import.name;
    let function = module.functions.iter().find(|function| function.wasm_name.text == *name);
    let (path, module) = (guest.path.value(), &module.name);
    match function {
        Some(function) => errors.at(
            &function.ident,
            format!("`{path}` imports `{module}::{name}` as {kind}, and this is a function"),
        ),
        None => errors.at(
            &guest.path,
            format!(
                "`{path}` imports `{module}::{name}`, {kind}, and this block does not have it; let \
                 the guest import it from another module name, for `Linker::define`"
            ),
        ),
    }
}

fn nothing_imported(module: &HostModule, guest: &Guest, errors: &mut Errors) {
    let mut others: Vec<_> = guest.imports.iter().map(|import| import.module.as_str()).collect();
    others.sort_unstable();
    others.dedup();
    let hint = match (nearest(&module.name, others.iter().copied()), &others[..]) {
        (Some(meant), _) => format!("; a similar name is `{meant}`"),
        (None, []) => "; it has no imports".to_owned(),
        (None, others) => format!("; it imports from `{}`", others.join("`, `")),
    };
    let (path, module) = (guest.path.value(), &module.name);
    errors.at(
        &guest.path,
        format!("`{path}` imports nothing from `{module}`, so there is nothing to check{hint}"),
    );
}
