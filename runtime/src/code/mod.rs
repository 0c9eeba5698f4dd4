//! Published machine code, and what all users of one engine share: the instruction set, the type
//! registry, the epoch, the builtins' code and the trampolines. Compiles nothing itself and knows
//! no store.

mod builtins;
mod code_object;
mod libcalls;
#[allow(
    unsafe_code,
    reason = "one file implements the provider of memory that cranelift-jit needs"
)]
mod publish;
#[cfg(test)]
#[allow(unsafe_code, reason = "tests call the code that they publish")]
mod tests;
mod trampolines;
mod types;

use std::sync::atomic::AtomicU64;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use cranelift_codegen::isa::OwnedTargetIsa;

use crate::abi::signature::LoweredSig;
use crate::compile::{Artifact, TrampolineKind, Tunables, compile_trampoline, host_isa};
use crate::error::Result;
use crate::vm::signals;
use crate::wasm::module::ModuleInfo;

pub(crate) use crate::vm::code_memory::CodePtr;
use builtins::Builtins;
pub(crate) use code_object::CodeObject;
use trampolines::Trampolines;
pub(crate) use types::Types;

/// What an engine owns below its configuration.
pub(crate) struct EngineInner {
    pub(crate) isa: OwnedTargetIsa,
    pub(crate) tunables: Tunables,
    types: RwLock<Types>,
    /// Counts up when the embedder says so; stores compare it with their deadline.
    pub(crate) epoch: AtomicU64,
    builtins: Builtins,
    trampolines: Trampolines,
}

impl EngineInner {
    /// An engine for this machine. `builtin_impls` holds the address of the Rust function of each
    /// builtin, by its number.
    ///
    /// # Errors
    ///
    /// If the processor is not supported, or the system refuses memory or signal handlers.
    ///
    /// # Panics
    ///
    /// If `builtin_impls` does not have one address for each builtin.
    pub(crate) fn new(tunables: Tunables, builtin_impls: &[usize]) -> Result<Arc<EngineInner>> {
        signals::install()?;
        Ok(Arc::new(EngineInner {
            isa: host_isa(&tunables)?,
            tunables,
            types: RwLock::new(Types::new()?),
            epoch: AtomicU64::new(0),
            builtins: Builtins::new(builtin_impls),
            trampolines: Trampolines::default(),
        }))
    }

    /// The types, for reading.
    pub(crate) fn types(&self) -> RwLockReadGuard<'_, Types> {
        self.types.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// The types, for registering.
    pub(crate) fn types_mut(&self) -> RwLockWriteGuard<'_, Types> {
        self.types.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes an artifact executable. `module` is the module that it was compiled from; an artifact
    /// without one holds trampolines.
    ///
    /// # Errors
    ///
    /// If there is no memory left for code.
    pub(crate) fn publish(
        &self,
        artifact: Artifact<'_>,
        module: Option<Arc<ModuleInfo>>,
    ) -> Result<CodeObject> {
        self.builtins.prepare(&self.isa, &artifact.relocs)?;
        publish::publish(&self.isa, &|target| self.builtins.address(target), artifact, module)
    }

    /// The trampoline for a signature, valid while the engine lives. It is compiled when it is
    /// first asked for.
    ///
    /// # Errors
    ///
    /// If the signature is beyond what can be compiled, or there is no memory left for code.
    pub(crate) fn trampoline(&self, kind: TrampolineKind, sig: &LoweredSig) -> Result<CodePtr> {
        if let Some(known) = self.trampolines.get(kind, sig) {
            return Ok(known);
        }
        self.trampolines.get_or_make(kind, sig, || {
            self.publish(compile_trampoline(&*self.isa, kind, sig)?, None)
        })
    }
}
