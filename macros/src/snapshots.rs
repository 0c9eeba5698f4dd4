//! What the macros generate, as text that people read: each file in `macros/snapshots` and, beside it,
//! its expansion.

use std::path::{Path, PathBuf};
use std::{env, fs};

use proc_macro2::TokenStream;
use quote::ToTokens;
use syn::{Attribute, Item, Meta};

/// Set to anything, this variable has the expansions written anew.
const OVERWRITE: &str = "HOSTREF_OVERWRITE_SNAPSHOTS";

/// What expansions are called that need the feature `check`, when it is off.
const SUFFIX: &str = if cfg!(feature = "check") { "expanded" } else { "unchecked" };

#[test]
fn expansions_are_as_they_were() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("snapshots");
    let mut names: Vec<String> = fs::read_dir(&folder)
        .expect("the folder of the snapshots is there")
        .map(|entry| entry.expect("a readable folder").file_name().into_string().unwrap())
        .filter_map(|name| name.strip_suffix(".rs").map(str::to_owned))
        .filter(|name| !name.contains('.'))
        .collect();
    names.sort();
    assert!(names.len() >= 24, "{names:?}");
    let changed: Vec<_> = names.iter().filter_map(|name| compare(&folder, name)).collect();
    assert!(
        changed.is_empty(),
        "these expansions have changed; read the difference after\n\
         {OVERWRITE}=1 cargo test -p hostref-macros --features check snapshots\n{}",
        changed.join("\n")
    );
}

/// The name of the snapshot and its first difference, if there is one.
fn compare(folder: &Path, name: &str) -> Option<String> {
    let input = fs::read_to_string(folder.join(format!("{name}.rs"))).unwrap();
    let suffix = if input.contains("check = ") { SUFFIX } else { "expanded" };
    let path: PathBuf = folder.join(format!("{name}.{suffix}.rs"));
    let found = format!("//! The expansion of `{name}.rs`.\n\n{}", expand(&input));
    if env::var_os(OVERWRITE).is_some() {
        fs::write(&path, found).unwrap();
        return None;
    }
    let expected = fs::read_to_string(&path).unwrap_or_default();
    let lines = expected.lines().zip(found.lines());
    let difference = lines.enumerate().find(|(_, (expected, found))| expected != found);
    match difference {
        _ if expected == found => None,
        Some((number, (expected, found))) => {
            Some(format!("{name}, line {}:\n- {expected}\n+ {found}", number + 1))
        }
        None => Some(format!("{name}: one is longer")),
    }
}

/// The expansion of every item with one of our attributes; others are left out.
fn expand(input: &str) -> String {
    let file = syn::parse_file(input).expect("the snapshot is Rust");
    let output: TokenStream = file.items.into_iter().filter_map(expand_item).collect();
    let output = syn::parse2(output).expect("the expansion is Rust");
    prettyplease::unparse(&output)
}

fn expand_item(mut item: Item) -> Option<TokenStream> {
    let attrs = match &mut item {
        Item::Impl(item) => &mut item.attrs,
        Item::Struct(item) => &mut item.attrs,
        Item::Enum(item) => &mut item.attrs,
        _ => return None,
    };
    let position = attrs.iter().position(|attr| macro_of(attr).is_some())?;
    let attr = attrs.remove(position);
    let arguments = match &attr.meta {
        Meta::List(list) => list.tokens.clone(),
        _ => TokenStream::new(),
    };
    Some(match macro_of(&attr)? {
        Macro::HostModule => crate::host_module::host_module(arguments, item.into_token_stream()),
        Macro::WasmExports => crate::exports::wasm_exports(arguments, item.into_token_stream()),
        Macro::WasmTy => crate::derive::wasm_ty::derive(item.into_token_stream()),
        Macro::GcStruct => crate::derive::gc_struct::derive(item.into_token_stream()),
        Macro::GcArray => crate::derive::gc_array::derive(item.into_token_stream()),
    })
}

enum Macro {
    HostModule,
    WasmExports,
    WasmTy,
    GcStruct,
    GcArray,
}

fn macro_of(attr: &Attribute) -> Option<Macro> {
    let text = attr.meta.to_token_stream().to_string();
    match attr.path().get_ident()?.to_string().as_str() {
        "host_module" => Some(Macro::HostModule),
        "wasm_exports" => Some(Macro::WasmExports),
        "derive" if text.contains("WasmTy") => Some(Macro::WasmTy),
        "derive" if text.contains("GcStruct") => Some(Macro::GcStruct),
        "derive" if text.contains("GcArray") => Some(Macro::GcArray),
        _ => None,
    }
}
