//! Real modules: those that `modules/fetch` has brought.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};

const MODULES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/modules");

/// What results call a module.
pub fn title(name: &str, wasm: &[u8]) -> String {
    format!("{name}, {:.1} MB", wasm.len() as f64 / 1e6)
}

/// The fetched modules, by name.
pub fn fetched() -> Result<Vec<(String, Vec<u8>)>> {
    let mut modules = Vec::new();
    if !Path::new(MODULES).exists() {
        return Ok(modules);
    }
    for entry in fs::read_dir(MODULES).context(MODULES)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "wasm") {
            let name = path.file_stem().expect("it has an extension").to_string_lossy();
            modules.push((name.into_owned(), fs::read(&path)?));
        }
    }
    modules.sort_by_key(|(_, wasm)| wasm.len());
    Ok(modules)
}
