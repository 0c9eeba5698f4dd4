//! The trampolines of an engine by lowered signature: made once, kept while the engine lives.

use std::collections::HashMap;
use std::sync::{PoisonError, RwLock};

use super::code_object::CodeObject;
use crate::abi::signature::LoweredSig;
use crate::compile::TrampolineKind;
use crate::error::Result;
use crate::vm::code_memory::CodePtr;

/// The number of trampoline kinds.
const KINDS: usize = 4;

#[derive(Default)]
pub(super) struct Trampolines {
    cache: RwLock<Cache>,
}

#[derive(Default)]
struct Cache {
    /// For each signature the trampoline of each kind, by the kind's number.
    known: HashMap<LoweredSig, [Option<CodePtr>; KINDS]>,
    /// The code of all that is `known`.
    objects: Vec<CodeObject>,
}

impl Trampolines {
    /// The trampoline, if it exists.
    pub(super) fn get(&self, kind: TrampolineKind, sig: &LoweredSig) -> Option<CodePtr> {
        self.cache.read().unwrap_or_else(PoisonError::into_inner).get(kind, sig)
    }

    /// The trampoline. If it does not exist, it is the first function of what `make` publishes.
    ///
    /// That is done under the lock: two threads never make the same trampoline. A panic leaves the cache
    /// as it was, so a poisoned lock says nothing about its content.
    pub(super) fn get_or_make(
        &self,
        kind: TrampolineKind,
        sig: &LoweredSig,
        make: impl FnOnce() -> Result<CodeObject>,
    ) -> Result<CodePtr> {
        let mut cache = self.cache.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(made_meanwhile) = cache.get(kind, sig) {
            return Ok(made_meanwhile);
        }
        let object = make()?;
        let code = object.function(0);
        cache.known.entry(sig.clone()).or_default()[kind as usize] = Some(code);
        cache.objects.push(object);
        Ok(code)
    }
}

impl Cache {
    fn get(&self, kind: TrampolineKind, sig: &LoweredSig) -> Option<CodePtr> {
        self.known.get(sig)?[kind as usize]
    }
}
