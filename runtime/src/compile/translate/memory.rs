//! Operators on linear memories and data segments.

use cranelift_codegen::ir::types::{I8, I8X16, I16, I32, I64};
use cranelift_codegen::ir::{InstBuilder, MemFlags, Opcode, Type, Value};
use wasmparser::MemArg;

use super::Translator;
use crate::abi::builtins::Builtin;
use crate::abi::layout::memory::Bounds;
use crate::wasm::index::MemoryIndex;

/// Bytes that `memory.copy` and `memory.fill` handle without a call: as many as a few vector registers
/// hold.
const MAX_INLINE: u8 = 128;
/// What repeats a byte when multiplied by it.
const ONES: i64 = 0x0101_0101_0101_0101;

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
        if let Some(len) = self.small_len(len) {
            return self.copy_inline(
                MemoryIndex(to_memory),
                MemoryIndex(from_memory),
                to,
                from,
                len,
            );
        }
        let len = self.widen_index(to_64 && from_64, len);
        let memories = [self.i32_const(to_memory), self.i32_const(from_memory)];
        let args = [memories[0], memories[1], to, from, len];
        let (to_memory, from_memory) = (MemoryIndex(to_memory), MemoryIndex(from_memory));
        let ranges = [(to_memory, to), (from_memory, from)];
        let builtin = Builtin::MemoryCopy;
        self.bulk_operation_on_memories(builtin, &args, ranges, len, |this, [to, from]| {
            this.call_memmove(to, from, len);
        });
    }

    pub(super) fn memory_fill(&mut self, memory: u32) {
        let is_64 = self.is_memory_64(memory);
        let (at, byte, len) = self.pop3();
        let at = self.widen_index(is_64, at);
        if let Some(len) = self.small_len(len) {
            return self.fill_inline(MemoryIndex(memory), at, byte, len);
        }
        let len = self.widen_index(is_64, len);
        let args = [self.i32_const(memory), at, byte, len];
        let ranges = [(MemoryIndex(memory), at)];
        let builtin = Builtin::MemoryFill;
        self.bulk_operation_on_memories(builtin, &args, ranges, len, |this, [to]| {
            this.calls += 1;
            let byte = this.builder.ins().ireduce(I8, byte);
            this.builder.call_memset(this.env.isa.frontend_config(), to, byte, len);
        });
    }

    /// [`Translator::bulk_operation`] on `len` bytes at each of `ranges`.
    fn bulk_operation_on_memories<const N: usize>(
        &mut self,
        builtin: Builtin,
        args: &[Value],
        ranges: [(MemoryIndex, Value); N],
        len: Value,
        operate: impl FnOnce(&mut Self, [Value; N]),
    ) {
        self.bulk_operation(
            builtin,
            args,
            |this| ranges.map(|(memory, index)| this.range_is_outside(memory, index, len)),
            |this, outside| {
                let addresses = std::array::from_fn(|range| {
                    let (memory, index) = ranges[range];
                    this.inside_address(memory, index, outside[range])
                });
                (addresses, None)
            },
            operate,
        );
    }

    /// The number of bytes of a bulk operation if that is small enough for loads and stores. None
    /// is an operation of 0 bytes, which may trap, or one that must be paid for by its length.
    fn small_len(&self, len: Value) -> Option<u8> {
        let len = self.constant(len).filter(|_| !self.env.tunables.consume_fuel)?;
        u8::try_from(len).ok().filter(|len| (1..=MAX_INLINE).contains(len))
    }

    /// Loads all before storing any: the ranges may overlap, and a trap comes before every store.
    fn copy_inline(
        &mut self,
        to_memory: MemoryIndex,
        from_memory: MemoryIndex,
        to: Value,
        from: Value,
        len: u8,
    ) {
        let flags = self.memory_flags();
        let from = self.range_address(from_memory, from, len);
        let loaded: Vec<(Value, i32)> = chunks(len)
            .map(|(ty, offset)| (self.builder.ins().load(ty, flags, from, offset), offset))
            .collect();
        let to = self.writable_range(to_memory, to, len);
        for (value, offset) in loaded {
            self.builder.ins().store(flags, value, to, offset);
        }
    }

    fn fill_inline(&mut self, memory: MemoryIndex, at: Value, byte: Value, len: u8) {
        let flags = self.memory_flags();
        let to = self.writable_range(memory, at, len);
        let byte = self.builder.ins().ireduce(I8, byte);
        // The first chunk is as large as any.
        let largest = chunks(len).next().map(|(ty, _)| ty);
        let value = match largest.expect("at least one byte is filled") {
            I8 => byte,
            I8X16 => self.builder.ins().splat(I8X16, byte),
            ty => {
                let byte = self.builder.ins().uextend(ty, byte);
                let ones = self.builder.ins().iconst(ty, ONES >> (64 - ty.bits()));
                self.builder.ins().imul(byte, ones)
            }
        };
        for (_, offset) in chunks(len) {
            self.builder.ins().store(flags, value, to, offset);
        }
    }

    /// The address of `len` bytes that are about to be written: no store is made if one of them
    /// is outside the memory.
    fn writable_range(&mut self, memory: MemoryIndex, index: Value, len: u8) -> Value {
        let address = self.range_address(memory, index, len);
        let ty = &self.env.info.memories[memory.index()];
        if let Bounds::Reserved = Bounds::of(ty, self.env.tunables.reserve_memories) {
            let flags = self.memory_flags();
            self.builder.ins().load(I8, flags, address, i32::from(len) - 1);
        }
        address
    }

    pub(super) fn memory_init(&mut self, memory: u32, segment: u32) {
        let (to, from, len) = self.pop3();
        let to = self.widen_index(self.is_memory_64(memory), to);
        let (from, len) = (self.widen(from), self.widen(len));
        let (memory, segment) = (self.i32_const(memory), self.i32_const(segment));
        self.call_builtin(Builtin::MemoryInit, &[memory, segment, to, from, len]);
    }

    pub(super) fn is_memory_64(&self, memory: u32) -> bool {
        self.env.info.memories[memory as usize].is_64
    }

    pub(super) fn data_drop(&mut self, segment: u32) {
        let segment = self.i32_const(segment);
        self.call_builtin(Builtin::DataDrop, &[segment]);
    }
}

/// The pieces in which `len` bytes are accessed, as types and offsets: all of one size, the largest
/// that fits. The last one may overlap the one before.
fn chunks(len: u8) -> impl Iterator<Item = (Type, i32)> {
    let ty = match len {
        16.. => I8X16,
        8.. => I64,
        4.. => I32,
        2.. => I16,
        _ => I8,
    };
    let size = i32::try_from(ty.bytes()).expect("at most 16");
    let len = i32::from(len);
    (0..len).step_by(ty.bytes() as usize).map(move |offset| (ty, offset.min(len - size)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_cover_all_bytes_and_no_others() {
        for len in 1..=MAX_INLINE {
            let mut covered = vec![false; len.into()];
            for (ty, offset) in chunks(len) {
                let start = usize::try_from(offset).unwrap();
                covered[start..start + ty.bytes() as usize].fill(true);
            }
            assert!(covered.iter().all(|covered| *covered), "{len} bytes");
        }
    }
}
