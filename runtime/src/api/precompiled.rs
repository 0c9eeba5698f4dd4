//! Modules that are compiled now and loaded later: what an engine does with them without making them
//! executable. Loading is in `raw`, because it trusts the bytes.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use anyhow::Context as _;

use super::engine::Engine;
use super::module;
use crate::error::Result;
use crate::instance::module::CompiledModule;
use crate::instance::serialized;

/// What [`Engine::detect_precompiled`] finds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Precompiled {
    /// A module, for [`Module::deserialize`](crate::Module::deserialize).
    Module,
}

impl Engine {
    /// Compiles a module, in the binary format or as [`Module::new`](crate::Module::new) takes it, for
    /// [`Module::deserialize`](crate::Module::deserialize). Nothing becomes executable in this process.
    ///
    /// # Errors
    ///
    /// As [`Module::new`](crate::Module::new).
    pub fn precompile_module(&self, bytes: &[u8]) -> Result<Vec<u8>> {
        CompiledModule::new(self, &module::binary(bytes)?)?.serialize(self)
    }

    /// Whether `bytes` begin like a compiled module. That does not mean that they are whole, or that
    /// this engine can load them.
    ///
    /// ```
    /// use hostref::{Engine, Precompiled, Result};
    ///
    /// # fn main() -> Result<()> {
    /// let engine = Engine::default();
    /// let compiled = engine.precompile_module(b"(module)")?;
    /// assert_eq!(Engine::detect_precompiled(&compiled), Some(Precompiled::Module));
    /// assert_eq!(Engine::detect_precompiled(b"\0asm"), None);
    /// # Ok(())
    /// # }
    /// ```
    pub fn detect_precompiled(bytes: &[u8]) -> Option<Precompiled> {
        serialized::detect(bytes).then_some(Precompiled::Module)
    }

    /// As [`detect_precompiled`](Engine::detect_precompiled), of a file, of which only the beginning is
    /// read.
    ///
    /// # Errors
    ///
    /// If the file cannot be read.
    pub fn detect_precompiled_file(file: impl AsRef<Path>) -> Result<Option<Precompiled>> {
        let file = file.as_ref();
        let mut start = Vec::new();
        File::open(file)
            .and_then(|opened| opened.take(serialized::DETECT as u64).read_to_end(&mut start))
            .with_context(|| format!("cannot read {}", file.display()))?;
        Ok(Engine::detect_precompiled(&start))
    }
}
