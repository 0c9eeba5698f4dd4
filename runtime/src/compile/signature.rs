//! Lowered signatures as Cranelift's, one function per row of the table in `abi`. Emits no code.

use cranelift_codegen::ir::types::{F32, F64, I8X16, I32, I64};
use cranelift_codegen::ir::{AbiParam, ArgumentPurpose, Signature, Type};
use cranelift_codegen::isa::{CallConv, TargetIsa};

use crate::abi::builtins::Builtin;
use crate::abi::signature::{LoweredSig, LoweredType, lower_val};
use crate::wasm::index::TypeIndex;
use crate::wasm::module::ModuleInfo;
use crate::wasm::types::ValType;

/// The type of every address.
pub(super) const POINTER: Type = I64;

/// The Cranelift type of a lowered type.
pub(super) fn clif_type(ty: LoweredType) -> Type {
    match ty {
        LoweredType::I32 => I32,
        LoweredType::I64 => I64,
        LoweredType::F32 => F32,
        LoweredType::F64 => F64,
        LoweredType::V128 => I8X16,
    }
}

/// The Cranelift type of a module's value type.
pub(super) fn value_type(info: &ModuleInfo, ty: ValType<TypeIndex>) -> Type {
    clif_type(lower_val(ty, |heap| info.is_func_heap(heap)))
}

/// A Wasm function or an exit trampoline: `(ctx, params..) -> results..`.
pub(super) fn wasm(sig: &LoweredSig) -> Signature {
    let mut signature = Signature::new(CallConv::Tail);
    signature.params.push(AbiParam::special(POINTER, ArgumentPurpose::VMContext));
    signature.params.extend(values(&sig.params));
    signature.returns.extend(values(&sig.results));
    signature
}

/// The trampoline of a builtin: `(vmctx, params..) -> result?`.
pub(super) fn builtin(builtin: Builtin) -> Signature {
    wasm(&builtin_sig(builtin))
}

/// The Rust function of a builtin: `(store, vmctx, params..) -> result?`.
pub(super) fn builtin_impl(isa: &dyn TargetIsa, builtin: Builtin) -> Signature {
    c(isa, 2, &builtin_sig(builtin))
}

/// What a builtin takes and returns besides its contexts.
pub(super) fn builtin_sig(builtin: Builtin) -> LoweredSig {
    let sig = builtin.sig();
    LoweredSig { params: sig.params.into(), results: sig.result.into_iter().collect() }
}

/// A typed entry trampoline: `(store, code, ctx, [results out], params..) -> result?`.
pub(super) fn typed_entry(isa: &dyn TargetIsa, sig: &LoweredSig) -> Signature {
    c(isa, 3, sig)
}

/// A typed host shim: `(store, host_func, [results out], params..) -> result?`.
pub(super) fn typed_shim(isa: &dyn TargetIsa, sig: &LoweredSig) -> Signature {
    c(isa, 2, sig)
}

/// An array entry trampoline: `(store, code, ctx, slots)`.
pub(super) fn array_entry(isa: &dyn TargetIsa) -> Signature {
    pointers(isa, 4)
}

/// An array host shim: `(store, host_func, slots)`.
pub(super) fn array_shim(isa: &dyn TargetIsa) -> Signature {
    pointers(isa, 3)
}

/// The function that fills memory: `(start, bytes, low half of the pattern, high half)`.
pub(super) fn fill(isa: &dyn TargetIsa) -> Signature {
    pointers(isa, 4)
}

/// A C function with `pointers` leading pointers, and one more for results in memory.
fn c(isa: &dyn TargetIsa, leading: usize, sig: &LoweredSig) -> Signature {
    let mut signature = pointers(isa, leading + usize::from(sig.results_in_memory()));
    signature.params.extend(values(&sig.params));
    if !sig.results_in_memory() {
        signature.returns.extend(values(&sig.results));
    }
    signature
}

fn pointers(isa: &dyn TargetIsa, count: usize) -> Signature {
    let mut signature = Signature::new(CallConv::triple_default(isa.triple()));
    signature.params.extend(vec![AbiParam::new(POINTER); count]);
    signature
}

fn values(types: &[LoweredType]) -> impl Iterator<Item = AbiParam> {
    types.iter().map(|ty| AbiParam::new(clif_type(*ty)))
}
