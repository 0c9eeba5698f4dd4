//! Atomic operators. All of them are sequentially consistent, and trap if the address is not a
//! multiple of the size of the access. Knows nothing of threads: that a memory is shared matters to
//! `address` alone, and the queues of waiters are those of the builtins.

use cranelift_codegen::ir::types::I64;
use cranelift_codegen::ir::{AtomicRmwOp, InstBuilder, Type, Value};
use wasmparser::MemArg;

use super::Translator;
use super::address::accessed_memory;
use crate::abi::builtins::Builtin;

impl Translator<'_> {
    /// Loads an `access` and extends it with zeros to a `ty`.
    pub(super) fn atomic_load(&mut self, ty: Type, access: Type, memarg: &MemArg) {
        let address = self.atomic_address(memarg);
        let flags = self.memory_flags();
        let value = self.builder.ins().atomic_load(access, flags, address);
        self.push_extended(ty, value);
    }

    /// Stores as much of the operand as an `access` holds.
    pub(super) fn atomic_store(&mut self, access: Type, memarg: &MemArg) {
        let value = self.pop_reduced(access);
        let address = self.atomic_address(memarg);
        let flags = self.memory_flags();
        self.builder.ins().atomic_store(flags, value, address);
    }

    /// Replaces an `access` by what `op` makes of it and the operand; the result is the old value.
    pub(super) fn atomic_rmw(&mut self, op: AtomicRmwOp, access: Type, memarg: &MemArg) {
        let ty = self.top_type();
        let value = self.pop_reduced(access);
        let address = self.atomic_address(memarg);
        let flags = self.memory_flags();
        let old = self.builder.ins().atomic_rmw(access, flags, op, address, value);
        self.push_extended(ty, old);
    }

    /// Replaces an `access` if it is the expected one, of which only as many bits count; the result
    /// is the old value.
    pub(super) fn atomic_cmpxchg(&mut self, access: Type, memarg: &MemArg) {
        let ty = self.top_type();
        let replacement = self.pop_reduced(access);
        let expected = self.pop_reduced(access);
        let address = self.atomic_address(memarg);
        let flags = self.memory_flags();
        let old = self.builder.ins().atomic_cas(flags, address, expected, replacement);
        self.push_extended(ty, old);
    }

    pub(super) fn atomic_fence(&mut self) {
        self.builder.ins().fence();
    }

    /// The builtin checks the address.
    pub(super) fn atomic_notify(&mut self, memarg: &MemArg) {
        let count = self.pop();
        let [memory, index, offset] = self.waiting_address(memarg);
        let args = [memory, index, offset, count];
        let woken = self.call_builtin_result(Builtin::MemoryAtomicNotify, &args);
        self.push(woken);
    }

    /// The builtin checks the address, and whether the memory is shared.
    pub(super) fn atomic_wait(&mut self, builtin: Builtin, memarg: &MemArg) {
        let (expected, timeout) = self.pop2();
        let [memory, index, offset] = self.waiting_address(memarg);
        let args = [memory, index, offset, expected, timeout];
        let outcome = self.call_builtin_result(builtin, &args);
        self.push(outcome);
    }

    /// The memory, the index and the offset, as builtins take them.
    fn waiting_address(&mut self, memarg: &MemArg) -> [Value; 3] {
        let index = self.pop_index(memarg);
        let memory = self.i32_const(accessed_memory(memarg).0);
        let offset = self.builder.ins().iconst(I64, memarg.offset.cast_signed());
        [memory, index, offset]
    }

    fn top_type(&self) -> Type {
        let top = self.stack.last().expect("validated: the operator's operands are on the stack");
        self.type_of(*top)
    }

    /// Takes an integer off the stack and leaves out what an `access` does not hold.
    fn pop_reduced(&mut self, access: Type) -> Value {
        let value = self.pop();
        match self.type_of(value) == access {
            true => value,
            false => self.builder.ins().ireduce(access, value),
        }
    }

    fn push_extended(&mut self, ty: Type, value: Value) {
        let value = match self.type_of(value) == ty {
            true => value,
            false => self.builder.ins().uextend(ty, value),
        };
        self.push(value);
    }
}
