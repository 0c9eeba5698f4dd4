//! What all stores of an engine share at run time: settings, and function types with the
//! trampolines that enter them.

use std::any::TypeId as RustType;
use std::collections::HashMap;
use std::sync::{Arc, OnceLock, PoisonError, RwLock, RwLockReadGuard};

use crate::abi::signature::{LoweredSig, is_func_heap};
use crate::code::{CodePtr, EngineInner, Types};
use crate::compile::TrampolineKind;
use crate::error::Result;
use crate::gc::GcConfig;
use crate::vm::pool::ReservationPool;
use crate::wasm::types::{CompositeType, FuncType, GroupRef, HeapType, SubType, TypeId};

/// The compiler and everything that stores share: settings, types, code memory. Cheap to clone.
#[derive(Clone)]
pub struct Engine {
    shared: Arc<EngineShared>,
}

impl Engine {
    pub(crate) fn shared(&self) -> &Arc<EngineShared> {
        &self.shared
    }

    pub(crate) fn from_shared(shared: Arc<EngineShared>) -> Engine {
        Engine { shared }
    }
}

/// An engine with the settings its stores obey.
pub(crate) struct EngineShared {
    pub(crate) code: Arc<EngineInner>,
    pub(crate) settings: Settings,
    /// Address space of memories and heaps between two uses.
    pub(crate) pool: Arc<ReservationPool>,
    func_types: RwLock<Vec<Option<Arc<FuncTypeInfo>>>>,
    /// The types that types of Rust define.
    rust_types: RwLock<HashMap<RustType, TypeId>>,
}

/// Settings that need no recompilation.
#[derive(Clone)]
pub(crate) struct Settings {
    pub(crate) features: wasmparser::WasmFeatures,
    /// Bytes of stack that Wasm may use.
    pub(crate) max_wasm_stack: usize,
    /// How many frames backtraces have at most; 0 if none are taken.
    pub(crate) backtrace_limit: usize,
    pub(crate) gc: GcConfig,
    /// Bytes that one linear memory may have.
    pub(crate) memory_limit: u64,
    /// Elements that one table may have.
    pub(crate) table_limit: u64,
}

/// A function type with everything a call through it needs.
pub(crate) struct FuncTypeInfo {
    pub(crate) id: TypeId,
    pub(crate) ty: FuncType,
    pub(crate) sig: LoweredSig,
    /// Those that were needed so far, by kind.
    trampolines: [OnceLock<CodePtr>; TRAMPOLINE_KINDS],
}

/// The number of kinds.
const TRAMPOLINE_KINDS: usize = TrampolineKind::ArrayExit as usize + 1;

impl EngineShared {
    /// Wraps `code` with the run-time `settings`.
    pub(crate) fn new(code: Arc<EngineInner>, settings: Settings) -> EngineShared {
        EngineShared {
            code,
            settings,
            pool: Arc::default(),
            func_types: RwLock::default(),
            rust_types: RwLock::default(),
        }
    }

    /// The type registry, for reading.
    pub(crate) fn types(&self) -> RwLockReadGuard<'_, Types> {
        self.code.types()
    }

    /// Whether references to `heap` are ones to functions. Takes the lock of the types only if it must.
    pub(crate) fn is_func_heap(&self, heap: HeapType<TypeId>) -> bool {
        match heap {
            HeapType::Concrete(_) => is_func_heap(&self.types(), heap),
            HeapType::Func | HeapType::NoFunc => true,
            _ => false,
        }
    }

    /// The function type `id`.
    pub(crate) fn func_type(&self, id: TypeId) -> Arc<FuncTypeInfo> {
        let index = id.0 as usize;
        let known = self.func_types.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(Some(info)) = known.get(index) {
            return info.clone();
        }
        drop(known);
        let info = {
            let types = self.types();
            let ty = types.func(id).clone();
            let sig = LoweredSig::of_registered(&types, &ty);
            Arc::new(FuncTypeInfo { id, ty, sig, trampolines: Default::default() })
        };
        let mut known = self.func_types.write().unwrap_or_else(PoisonError::into_inner);
        if known.len() <= index {
            known.resize(index + 1, None);
        }
        known[index].get_or_insert(info).clone()
    }

    /// The type with this structure, registered if it is new.
    ///
    /// # Errors
    ///
    /// If it may not have its supertype, or the engine has no room for another type.
    pub(crate) fn register_type(
        &self,
        is_final: bool,
        supertype: Option<TypeId>,
        composite: CompositeType,
    ) -> Result<TypeId> {
        self.code.types_mut().register_alone(&SubType { is_final, supertype, composite })
    }

    /// The types of a recursion group, registered if they are new.
    ///
    /// # Errors
    ///
    /// As [`EngineShared::register_type`].
    pub(crate) fn register_group(&self, group: Box<[SubType<GroupRef>]>) -> Result<Box<[TypeId]>> {
        self.code.types_mut().register_group(group)
    }

    /// The type that this Rust type defines, if that is known.
    #[inline]
    pub(crate) fn rust_type(&self, rust: RustType) -> Option<TypeId> {
        let known = self.rust_types.read().unwrap_or_else(PoisonError::into_inner);
        known.get(&rust).copied()
    }

    /// Takes note of what a type of Rust defines, for good: returns what was known before, if anything.
    pub(crate) fn add_rust_type(&self, rust: RustType, id: TypeId) -> TypeId {
        let mut known = self.rust_types.write().unwrap_or_else(PoisonError::into_inner);
        *known.entry(rust).or_insert(id)
    }
}

impl FuncTypeInfo {
    /// The trampoline that enters functions of this type with arguments in slots.
    #[inline]
    pub(crate) fn array_entry(&self, engine: &EngineShared) -> Result<CodePtr> {
        self.trampoline(engine, TrampolineKind::ArrayEntry)
    }

    /// The trampoline that enters functions of this type with arguments in registers.
    pub(crate) fn typed_entry(&self, engine: &EngineShared) -> Result<CodePtr> {
        self.trampoline(engine, TrampolineKind::TypedEntry)
    }

    /// The trampoline of this kind for functions of this type. `engine` is the one that the type is of.
    ///
    /// # Errors
    ///
    /// If there is no memory for code.
    #[inline]
    pub(super) fn trampoline(
        &self,
        engine: &EngineShared,
        kind: TrampolineKind,
    ) -> Result<CodePtr> {
        let slot = &self.trampolines[kind as usize];
        if let Some(code) = slot.get() {
            return Ok(*code);
        }
        let code = engine.code.trampoline(kind, &self.sig)?;
        Ok(*slot.get_or_init(|| code))
    }
}
