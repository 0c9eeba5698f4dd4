//! The trampolines of an engine's builtins: compiled when the first code that calls them is
//! published, kept while the engine lives.

use std::sync::{Mutex, OnceLock, PoisonError};

use cranelift_codegen::isa::OwnedTargetIsa;

use super::code_object::CodeObject;
use super::{libcalls, publish};
use crate::abi::builtins::Builtin;
use crate::compile::{RelocTarget, Relocation, compile_builtins};
use crate::error::Result;
use crate::vm::code_memory::CodePtr;
use crate::vm::fill;

/// What published code calls outside its module.
pub(super) struct Builtins {
    /// The Rust function of each builtin, by its number.
    impls: Box<[usize]>,
    /// The trampoline of each builtin, by its number.
    trampolines: Box<[OnceLock<CodePtr>]>,
    /// The code of all trampolines.
    objects: Mutex<Vec<CodeObject>>,
}

impl Builtins {
    /// No trampolines. `impls` holds the address of the Rust function of each builtin.
    ///
    /// # Panics
    ///
    /// If `impls` does not have one address for each builtin.
    pub(super) fn new(impls: &[usize]) -> Builtins {
        assert_eq!(impls.len(), Builtin::ALL.len(), "one address for each builtin");
        let trampolines = impls.iter().map(|_| OnceLock::new()).collect();
        Builtins { impls: impls.into(), trampolines, objects: Mutex::default() }
    }

    /// Compiles the trampolines that `relocs` name and that do not exist yet, all at once.
    ///
    /// # Errors
    ///
    /// If there is no memory left for code.
    pub(super) fn prepare(&self, isa: &OwnedTargetIsa, relocs: &[Relocation]) -> Result<()> {
        let missing = |builtin: Builtin| self.trampolines[builtin as usize].get().is_none();
        let wanted = relocs.iter().filter_map(|reloc| match reloc.target {
            RelocTarget::Builtin(builtin) if missing(builtin) => Some(builtin),
            _ => None,
        });
        if wanted.clone().next().is_none() {
            return Ok(());
        }
        // Compiling under the lock: two threads never make the same trampoline.
        let mut objects = self.objects.lock().unwrap_or_else(PoisonError::into_inner);
        let mut wanted: Vec<Builtin> = wanted.collect();
        wanted.sort_unstable();
        wanted.dedup();
        if wanted.is_empty() {
            return Ok(());
        }
        let artifact = compile_builtins(&**isa, &wanted)?;
        let object = publish::publish(isa, &|target| self.address(target), artifact, None)?;
        for (position, builtin) in wanted.into_iter().enumerate() {
            let new = self.trampolines[builtin as usize].set(object.function(position));
            assert!(new.is_ok(), "a trampoline is made once, under the lock");
        }
        objects.push(object);
        Ok(())
    }

    /// Where what a relocation names is.
    ///
    /// # Panics
    ///
    /// If it is a trampoline that has not been prepared, or a function of the text itself.
    pub(super) fn address(&self, target: RelocTarget) -> usize {
        match target {
            RelocTarget::Function(_) => unreachable!("a linked text has resolved its own calls"),
            RelocTarget::BuiltinImpl(builtin) => self.impls[builtin as usize],
            RelocTarget::Builtin(builtin) => {
                let trampoline = self.trampolines[builtin as usize].get();
                let trampoline =
                    trampoline.expect("trampolines are prepared before they are named");
                trampoline.as_ptr().expose_provenance()
            }
            RelocTarget::Fill => (fill::fill_from_code as *const ()).expose_provenance(),
            RelocTarget::LibCall(call) => libcalls::address(call),
        }
    }
}
