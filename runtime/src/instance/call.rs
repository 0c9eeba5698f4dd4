//! Entering Wasm, and reading its stack.
//!
//! Invariant: while compiled code runs, no Rust reference into the store exists but those derived
//! from the pointer that was passed to the entry.

use std::sync::Arc;

use super::backtrace::{FrameInfo, WasmBacktrace};
use super::definition::FuncPtr;
use super::module::Module;
use super::store::{StoreInner, StoreShell};
use crate::abi::code_map::CodeMap;
use crate::code::CodePtr;
use crate::error::Result;
use crate::vm::context::{VmCtx, VmStore};
use crate::vm::unwind::Backtrace;
use crate::vm::value::ValRaw;
use crate::vm::{code_memory, entry, stack};

impl<T> StoreShell<T> {
    /// Calls `func` with the arguments in `slots`, which receive the results. `caller` is the vmctx of
    /// the instance on whose behalf, or null.
    ///
    /// # Errors
    ///
    /// The trap or the host error that stopped the guest.
    ///
    /// # Safety
    ///
    /// `func` must be a record of this store, and `entry` the array entry of its type. `slots` must
    /// have room for its parameters and for its results and hold arguments of its parameter types;
    /// references among them must be live. `caller` must be of this store.
    #[inline]
    pub(crate) unsafe fn call_array(
        &mut self,
        caller: *mut VmCtx,
        func: FuncPtr,
        entry: CodePtr,
        slots: *mut ValRaw,
    ) -> Result<()> {
        self.inner.before_entry(caller);
        let record = func.record();
        let store = self.vm_ptr();
        // SAFETY: the caller vouches for `entry` and `slots`, and `store` is derived from the whole
        // shell, which is not used meanwhile.
        unsafe { entry::call_array(entry, store, record.code, record.ctx, slots) };
        self.inner.after_entry()
    }
}

impl StoreInner {
    /// Prepares an entry into Wasm, or into a host function that takes `caller` for the instance that
    /// calls it.
    #[inline]
    pub(crate) fn before_entry(&mut self, caller: *mut VmCtx) {
        if self.vm.activation.get().is_null() {
            self.vm.stack_limit.set(stack::stack_limit(self.max_wasm_stack));
        }
        self.vm.caller.set(caller);
    }

    /// Whether the entry into Wasm that just came back succeeded.
    #[inline]
    pub(crate) fn after_entry(&mut self) -> Result<()> {
        match self.vm.unwinding.get() {
            0 => Ok(()),
            _ => Err(self.take_failure()),
        }
    }
}

/// Lets the collector see and update every reference in the frames of all activations.
pub(crate) fn visit_stack_refs(vm: &VmStore, visit: &mut dyn FnMut(&mut u32)) {
    // SAFETY: the store runs no compiled code at this time, so its activations are suspended in exit
    // trampolines and their frames are intact.
    unsafe { stack::visit_refs(vm, |slot| visit(slot)) }
}

/// The Wasm functions that have called the host functions which are running now, the innermost `limit`
/// of them.
pub(crate) fn capture_backtrace(store: &StoreInner, limit: usize) -> WasmBacktrace {
    // SAFETY: whoever holds the store is outside Wasm, so its activations are suspended in exit
    // trampolines and their frames are intact.
    resolve_backtrace(&unsafe { Backtrace::of_calls(&store.vm, limit) })
}

/// The functions in which the program counters of `backtrace` lie, which the store recorded just now.
pub(crate) fn resolve_backtrace(backtrace: &Backtrace) -> WasmBacktrace {
    let mut frames = Vec::with_capacity(backtrace.pcs.len());
    let mut omitted = backtrace.omitted;
    for pc in &backtrace.pcs {
        // SAFETY: the store keeps the modules alive whose code it ran a moment ago.
        let Some(map) = (unsafe { code_memory::lookup(*pc) }) else { continue };
        let Some(offset) = map.offset(*pc) else { continue };
        for (func, source) in map.wasm_frames(offset) {
            if frames.len() == backtrace.limit {
                omitted += 1;
            } else if let Some(module) = module_of(map, frames.last()) {
                let func = module.shared().info.func_index(func);
                frames.push(FrameInfo::new(module, func, source));
            }
        }
    }
    WasmBacktrace::new(frames, omitted)
}

/// The module whose code `map` describes. `inner` is the frame further in, mostly one of the same module,
/// which costs less to find there.
fn module_of(map: &CodeMap, inner: Option<&FrameInfo>) -> Option<Module> {
    let info = map.module.as_ref()?;
    match inner.map(FrameInfo::module) {
        Some(module) if Arc::ptr_eq(&module.shared().info, info) => Some(module.clone()),
        _ => Module::from_owner(map.owner.get()?),
    }
}
