//! What is left of a failing case: its module in both formats and its description, in files.

use std::fs;
use std::path::PathBuf;

use anyhow::Result;

use crate::options::Options;

/// Writes the files and returns the path of the module.
pub fn write(options: &Options, case: &str, wasm: &[u8], description: &str) -> Result<PathBuf> {
    fs::create_dir_all(&options.failures)?;
    let path = options.failures.join(format!("{}-{case}.wasm", options.seed));
    fs::write(&path, wasm)?;
    fs::write(path.with_extension("txt"), description)?;
    let text = wasmprinter::print_bytes(wasm).unwrap_or_else(|error| format!(";; {error:#}"));
    fs::write(path.with_extension("wat"), text)?;
    Ok(path)
}

/// Notes what runs now, for the case that the process does not survive it.
pub fn note_current(options: &Options, case: u64) -> Result<()> {
    let text = format!("--seed {} --only {case}\n", options.seed);
    Ok(fs::write(options.failures.join("current"), text)?)
}
