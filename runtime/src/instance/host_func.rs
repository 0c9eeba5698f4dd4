//! Host functions: definitions that linkers share between stores, and the function records that a
//! store makes of them.
//!
//! A definition has a Rust signature, not a Wasm type. For each Wasm type it is linked as, a store
//! makes one record whose type is exactly that, all sharing the closure.

use std::any::Any;
use std::borrow::Cow;
use std::collections::hash_map::Entry;
use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::definition::FuncPtr;
use super::engine::{EngineShared, FuncTypeInfo};
use crate::code::CodePtr;
use crate::compile::TrampolineKind;
use crate::error::Result;
use crate::vm::context::{VmFuncRef, VmHostFunc, VmStore};
use crate::wasm::types::{FuncType, TypeId};

/// A host function that no store owns yet.
pub(crate) struct HostFunc {
    /// The canonical type of the Rust signature, with nullable references.
    pub(crate) ty: Arc<FuncTypeInfo>,
    /// The Rust signature itself, if some of its references may not be null.
    pub(crate) narrower: Option<FuncType>,
    /// How compiled code reaches `shim`: with arguments in registers or in slots.
    pub(crate) exit: TrampolineKind,
    /// Address of the C function that the exit trampoline calls.
    pub(crate) shim: *const u8,
    /// The memory of its callers that it uses.
    pub(crate) memory: Option<MemoryUse>,
    /// The same function for callers whose memory is one of 64 bits.
    pub(crate) wide: Option<Arc<HostFunc>>,
    /// What the shim calls: its concrete type is known to the shim alone.
    pub(crate) callee: Box<dyn Any + Send + Sync>,
    /// What error messages call it, such as `env::log`.
    pub(crate) name: Cow<'static, str>,
}

impl HostFunc {
    /// The Rust signature: which references may be null.
    pub(crate) fn signature(&self) -> &FuncType {
        self.narrower.as_ref().unwrap_or(&self.ty.ty)
    }

    /// The code through which compiled code of `engine`, the one that the function's type is of, calls it.
    ///
    /// # Errors
    ///
    /// If there is no memory for code.
    pub(super) fn exit_code(&self, engine: &EngineShared) -> Result<CodePtr> {
        self.ty.trampoline(engine, self.exit)
    }
}

/// The host functions of a store: one for each definition and Wasm type.
#[derive(Default)]
pub(super) struct HostContexts {
    contexts: Contexts,
    /// Their records, once there are more than [`FEW`].
    records: FxHashMap<(usize, TypeId), FuncPtr>,
}

/// So many host functions are found by looking at each.
const FEW: usize = 8;

impl HostContexts {
    /// Makes room for `count` more, side by side if they are the first.
    pub(super) fn reserve(&mut self, count: usize) {
        self.contexts.reserve(count);
        let total = self.contexts.len() + count;
        if total > FEW {
            self.records.reserve(total - self.records.len());
        }
    }

    /// The record of `def` as a function of type `ty` of the store at `store`, where `exit` leads to it.
    pub(super) fn record(
        &mut self,
        store: *mut VmStore,
        def: &Arc<HostFunc>,
        exit: CodePtr,
        ty: TypeId,
    ) -> FuncPtr {
        let HostContexts { contexts, records } = self;
        let new = || HostContext {
            vm: VmHostFunc { store, shim: def.shim },
            callee: std::ptr::from_ref(&*def.callee).cast(),
            def: def.clone(),
            record: VmFuncRef { code: exit.as_ptr(), ctx: std::ptr::null_mut(), type_id: ty.0 },
        };
        let key = (Arc::as_ptr(def).addr(), ty);
        if !records.is_empty() {
            return match records.entry(key) {
                Entry::Occupied(known) => *known.get(),
                Entry::Vacant(unknown) => *unknown.insert(contexts.push(new())),
            };
        }
        if let Some(known) = contexts.iter().find(|context| context.key() == key) {
            return FuncPtr::of_host(known);
        }
        let record = contexts.push(new());
        if contexts.len() > FEW {
            let all = contexts.iter().map(|context| (context.key(), FuncPtr::of_host(context)));
            records.extend(all);
        }
        record
    }

    /// The host function whose record is `func`, if it is one of these.
    pub(super) fn find(&self, func: FuncPtr) -> Option<&HostContext> {
        self.contexts.find(func)
    }
}

/// Contexts that do not move: compiled code knows them by address.
#[derive(Default)]
struct Contexts {
    /// Each is as long as all before it, or was asked for at once, and never gets longer than its capacity.
    chunks: Vec<Vec<HostContext>>,
}

impl Contexts {
    /// Makes room for the first `count`.
    fn reserve(&mut self, count: usize) {
        if self.chunks.is_empty() && count > 0 {
            self.chunks.reserve_exact(1);
            self.chunks.push(Vec::with_capacity(count));
        }
    }

    fn len(&self) -> usize {
        self.chunks.iter().map(Vec::len).sum()
    }

    fn iter(&self) -> impl Iterator<Item = &HostContext> {
        self.chunks.iter().flatten()
    }

    /// Adds a context, and returns its record.
    #[inline]
    fn push(&mut self, context: HostContext) -> FuncPtr {
        let chunk = self.room();
        chunk.push(context);
        let context = chunk.last_mut().expect("pushed just now");
        context.record.ctx = std::ptr::from_mut(context).cast();
        FuncPtr::of_host(context)
    }

    /// A chunk that is not full.
    #[inline]
    fn room(&mut self) -> &mut Vec<HostContext> {
        if self.chunks.last().is_none_or(|chunk| chunk.len() == chunk.capacity()) {
            self.grow();
        }
        self.chunks.last_mut().expect("there is one now")
    }

    #[cold]
    fn grow(&mut self) {
        self.chunks.push(Vec::with_capacity(self.len().max(1)));
    }

    /// The context whose record is `func`, if it is one of these.
    fn find(&self, func: FuncPtr) -> Option<&HostContext> {
        let address = FuncPtr::to_address(Some(func));
        self.chunks.iter().find_map(|chunk| {
            let offset = address.checked_sub(chunk.as_ptr().addr())?;
            chunk.get(offset / size_of::<HostContext>())
        })
    }
}

/// The memory of its callers that a host function uses.
#[doc(hidden)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MemoryUse {
    /// The name under which callers export it.
    pub export: &'static str,
    /// Whether it is one of 64 bits.
    pub is_64: bool,
}

/// A host function in a store: what stands in the place of a vmctx.
#[repr(C)]
pub(crate) struct HostContext {
    pub(crate) vm: VmHostFunc,
    /// The callee of `def`, within reach of the shim.
    pub(crate) callee: *const (),
    pub(crate) def: Arc<HostFunc>,
    /// The record that refers to this context.
    pub(crate) record: VmFuncRef,
}

impl HostContext {
    /// What no other context of its store has.
    fn key(&self) -> (usize, TypeId) {
        (Arc::as_ptr(&self.def).addr(), TypeId(self.record.type_id))
    }
}

// SAFETY: `shim` is the address of code, and the callee is `Send` by its type.
unsafe impl Send for HostFunc {}
// SAFETY: as above; the callee is `Sync` by its type.
unsafe impl Sync for HostFunc {}
// SAFETY: the pointers lead to the store that owns this context, to what `def` owns, and to code; only
// compiled code and shims follow them, which run under `&mut` of the store.
unsafe impl Send for HostContext {}
// SAFETY: as above.
unsafe impl Sync for HostContext {}
