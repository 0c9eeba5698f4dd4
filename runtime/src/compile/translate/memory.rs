//! Operators on linear memories and data segments.

use cranelift_codegen::ir::{InstBuilder, MemFlags, Opcode, Type, Value};
use wasmparser::MemArg;

use super::Translator;
use crate::abi::builtins::Builtin;
use crate::wasm::index::MemoryIndex;

impl Translator<'_> {
    /// Loads a `ty`, with `opcode` saying how much of it is in memory.
    pub(super) fn load(&mut self, opcode: Opcode, ty: Type, memarg: &MemArg) {
        let value = self.emit_load(opcode, ty, memarg);
        self.push(value);
    }

    pub(super) fn emit_load(&mut self, opcode: Opcode, ty: Type, memarg: &MemArg) -> Value {
        let (address, offset) = self.address(memarg);
        let flags = self.access_flags();
        let (inst, dfg) = self.builder.ins().Load(opcode, ty, flags, offset, address);
        dfg.first_result(inst)
    }

    /// Stores as much of the operand as `opcode` says.
    pub(super) fn store(&mut self, opcode: Opcode, memarg: &MemArg) {
        let value = self.pop();
        self.emit_store(opcode, value, memarg);
    }

    pub(super) fn emit_store(&mut self, opcode: Opcode, value: Value, memarg: &MemArg) {
        let ty = self.type_of(value);
        let (address, offset) = self.address(memarg);
        let flags = self.access_flags();
        self.builder.ins().Store(opcode, ty, flags, offset, value, address);
    }

    fn access_flags(&mut self) -> MemFlags {
        let flags = self.memory_flags();
        let all = &mut self.builder.func.dfg.mem_flags;
        all.insert(flags).expect("a function uses few kinds of flags")
    }

    pub(super) fn memory_size(&mut self, memory: u32) {
        let memory = MemoryIndex(memory);
        let ty = self.env.info.memories[memory.index()];
        let len = self.memory_len(memory);
        let pages = self.builder.ins().ushr_imm_u(len, i64::from(ty.page_size_log2));
        let pages = self.narrow_index(ty.is_64, pages);
        self.push(pages);
    }

    pub(super) fn memory_grow(&mut self, memory: u32) {
        let is_64 = self.is_memory_64(memory);
        let pages = self.pop();
        let pages = self.widen_index(is_64, pages);
        let memory = self.i32_const(memory);
        let old = self.call_builtin_result(Builtin::MemoryGrow, &[memory, pages]);
        let old = self.narrow_index(is_64, old);
        self.push(old);
    }

    pub(super) fn memory_copy(&mut self, to_memory: u32, from_memory: u32) {
        let (to, from, len) = self.pop3();
        let (to_64, from_64) = (self.is_memory_64(to_memory), self.is_memory_64(from_memory));
        let (to, from) = (self.widen_index(to_64, to), self.widen_index(from_64, from));
        let len = self.widen_index(to_64 && from_64, len);
        let (to_memory, from_memory) = (self.i32_const(to_memory), self.i32_const(from_memory));
        self.call_builtin(Builtin::MemoryCopy, &[to_memory, from_memory, to, from, len]);
    }

    pub(super) fn memory_fill(&mut self, memory: u32) {
        let is_64 = self.is_memory_64(memory);
        let (at, byte, len) = self.pop3();
        let (at, len) = (self.widen_index(is_64, at), self.widen_index(is_64, len));
        let memory = self.i32_const(memory);
        self.call_builtin(Builtin::MemoryFill, &[memory, at, byte, len]);
    }

    pub(super) fn memory_init(&mut self, memory: u32, segment: u32) {
        let (to, from, len) = self.pop3();
        let to = self.widen_index(self.is_memory_64(memory), to);
        let (from, len) = (self.widen(from), self.widen(len));
        let (memory, segment) = (self.i32_const(memory), self.i32_const(segment));
        self.call_builtin(Builtin::MemoryInit, &[memory, segment, to, from, len]);
    }

    fn is_memory_64(&self, memory: u32) -> bool {
        self.env.info.memories[memory as usize].is_64
    }

    pub(super) fn data_drop(&mut self, segment: u32) {
        let segment = self.i32_const(segment);
        self.call_builtin(Builtin::DataDrop, &[segment]);
    }
}
