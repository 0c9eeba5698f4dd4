//! Lowered signatures: what is left of a function type when only registers matter. Trampolines
//! exist per lowered signature, so there are few.

use crate::wasm::index::TypeIndex;
use crate::wasm::module::ModuleInfo;
use crate::wasm::types::{CompositeType, FuncType, HeapType, TypeId, TypeRegistry, ValType};

/// The machine-level type of a Wasm value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum LoweredType {
    /// `i32`, and every reference into the GC heap.
    I32,
    /// `i64`, and every function reference.
    I64,
    F32,
    F64,
    V128,
}

/// The machine-level type of a function, without its contexts.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct LoweredSig {
    pub(crate) params: Box<[LoweredType]>,
    pub(crate) results: Box<[LoweredType]>,
}

impl LoweredSig {
    /// Lowers a module's function type.
    pub(crate) fn of_module(info: &ModuleInfo, ty: &FuncType<TypeIndex>) -> LoweredSig {
        lower(ty, |heap| info.is_func_heap(heap))
    }

    /// Lowers a canonical function type.
    pub(crate) fn of_registered(types: &TypeRegistry, ty: &FuncType<TypeId>) -> LoweredSig {
        lower(ty, |heap| is_func_heap(types, heap))
    }

    /// The number of 16-byte slots that hold either the parameters or the results.
    pub(crate) fn slots(&self) -> usize {
        self.params.len().max(self.results.len())
    }

    /// Whether results are returned through memory rather than in a register.
    pub(crate) fn results_in_memory(&self) -> bool {
        self.results.len() >= 2
    }
}

/// Whether `heap` is in the hierarchy of functions.
pub(crate) fn is_func_heap(types: &TypeRegistry, heap: HeapType<TypeId>) -> bool {
    match heap {
        HeapType::Func | HeapType::NoFunc => true,
        HeapType::Concrete(id) => matches!(types.get(id).composite, CompositeType::Func(_)),
        _ => false,
    }
}

/// Lowers a value type, given whether a heap type is in the hierarchy of functions.
pub(crate) fn lower_val<I: Copy>(
    ty: ValType<I>,
    is_func_heap: impl Fn(HeapType<I>) -> bool,
) -> LoweredType {
    match ty {
        ValType::I32 => LoweredType::I32,
        ValType::I64 => LoweredType::I64,
        ValType::F32 => LoweredType::F32,
        ValType::F64 => LoweredType::F64,
        ValType::V128 => LoweredType::V128,
        ValType::Ref(ty) if is_func_heap(ty.heap) => LoweredType::I64,
        ValType::Ref(_) => LoweredType::I32,
    }
}

fn lower<I: Copy>(ty: &FuncType<I>, is_func_heap: impl Fn(HeapType<I>) -> bool) -> LoweredSig {
    LoweredSig {
        params: ty.params.iter().map(|ty| lower_val(*ty, &is_func_heap)).collect(),
        results: ty.results.iter().map(|ty| lower_val(*ty, &is_func_heap)).collect(),
    }
}
