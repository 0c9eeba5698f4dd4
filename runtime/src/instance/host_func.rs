//! Host functions: definitions that linkers share between stores, and the function records that a
//! store makes of them.
//!
//! A definition has a Rust signature, not a Wasm type. For each Wasm type it is linked as, a store
//! makes one record whose type is exactly that, all sharing the closure.

use std::any::Any;
use std::sync::{Arc, OnceLock};

use super::engine::FuncTypeInfo;
use crate::code::{CodePtr, EngineInner};
use crate::compile::TrampolineKind;
use crate::error::Result;
use crate::vm::context::{VmFuncRef, VmHostFunc};
use crate::wasm::types::FuncType;

/// A host function that no store owns yet.
pub(crate) struct HostFunc {
    /// The canonical type of the Rust signature, with nullable references.
    pub(crate) ty: Arc<FuncTypeInfo>,
    /// The Rust signature itself: which references may be null.
    pub(crate) signature: FuncType,
    /// How compiled code reaches `shim`: with arguments in registers or in slots.
    pub(crate) exit: TrampolineKind,
    /// The trampoline that this takes, once a store has needed it.
    pub(crate) exit_code: OnceLock<CodePtr>,
    /// Address of the C function that the exit trampoline calls.
    pub(crate) shim: *const u8,
    /// The memory of its callers that it uses.
    pub(crate) memory: Option<MemoryUse>,
    /// The same function for callers whose memory is one of 64 bits.
    pub(crate) wide: Option<Arc<HostFunc>>,
    /// What the shim calls: its concrete type is known to the shim alone.
    pub(crate) callee: Box<dyn Any + Send + Sync>,
    /// What error messages call it, such as `env::log`.
    pub(crate) name: Box<str>,
}

impl HostFunc {
    /// The code through which compiled code of `engine`, the one that the function's type is of, calls it.
    ///
    /// # Errors
    ///
    /// If there is no memory for code.
    pub(super) fn exit_code(&self, engine: &EngineInner) -> Result<CodePtr> {
        if let Some(code) = self.exit_code.get() {
            return Ok(*code);
        }
        let code = engine.trampoline(self.exit, &self.ty.sig)?;
        Ok(*self.exit_code.get_or_init(|| code))
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

// SAFETY: `shim` is the address of code, and the callee is `Send` by its type.
unsafe impl Send for HostFunc {}
// SAFETY: as above; the callee is `Sync` by its type.
unsafe impl Sync for HostFunc {}
// SAFETY: the pointers lead to the store that owns this context, to what `def` owns, and to code; only compiled code and
// shims follow them, which run under `&mut` of the store.
unsafe impl Send for HostContext {}
// SAFETY: as above.
unsafe impl Sync for HostContext {}
