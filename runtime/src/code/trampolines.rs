//! The trampolines of an engine by lowered signature: made once, kept while the engine lives.

use std::collections::{HashMap, HashSet};
use std::sync::{PoisonError, RwLock};

use cranelift_codegen::isa::TargetIsa;

use super::code_object::CodeObject;
use crate::abi::signature::LoweredSig;
use crate::compile::{Artifact, TrampolineKind, compile_trampolines};
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

    /// Makes those of the `wanted` trampolines that do not exist, each once.
    pub(super) fn prepare(
        &self,
        isa: &dyn TargetIsa,
        mut wanted: Vec<(TrampolineKind, LoweredSig)>,
        publish: impl FnOnce(Artifact) -> Result<CodeObject>,
    ) -> Result<()> {
        // Compiling under the lock: two threads never make the same trampoline. A panic leaves the
        // cache as it was, so a poisoned lock says nothing about its content.
        let mut cache = self.cache.write().unwrap_or_else(PoisonError::into_inner);
        let mut new = HashSet::new();
        wanted.retain(|wanted| {
            cache.get(wanted.0, &wanted.1).is_none() && new.insert(wanted.clone())
        });
        if wanted.is_empty() {
            return Ok(());
        }
        let object = publish(compile_trampolines(isa, &wanted)?)?;
        for (position, (kind, sig)) in wanted.into_iter().enumerate() {
            cache.known.entry(sig).or_default()[kind as usize] = Some(object.function(position));
        }
        cache.objects.push(object);
        Ok(())
    }
}

impl Cache {
    fn get(&self, kind: TrampolineKind, sig: &LoweredSig) -> Option<CodePtr> {
        self.known.get(sig)?[kind as usize]
    }
}
