//! Addresses in linear memories. This is the only place that knows why an access cannot leave its
//! memory.

use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::immediates::Offset32;
use cranelift_codegen::ir::types::{I8, I64};
use cranelift_codegen::ir::{Endianness, InstBuilder, MemFlagsData, TrapCode, Value};
use wasmparser::{MemArg, MemArgTarget};

use super::Translator;
use crate::Trap;
use crate::abi::layout::memory::{self, Bounds, GUARD};
use crate::compile::signature::POINTER;
use crate::wasm::index::MemoryIndex;

/// The size of the largest access.
const MAX_ACCESS: u64 = 16;

impl Translator<'_> {
    /// The address of an access as a base and a constant to add, taking the index off the stack.
    pub(super) fn address(&mut self, memarg: &MemArg) -> (Value, Offset32) {
        let index = self.pop_index(memarg);
        self.address_at(memarg, index)
    }

    /// The address of an atomic access, taking the index off the stack. One that is not a multiple of
    /// the access's size traps, inside the memory or not.
    pub(super) fn atomic_address(&mut self, memarg: &MemArg) -> Value {
        let index = self.pop_index(memarg);
        let low_bits = (1_i64 << memarg.max_align) - 1;
        if low_bits != 0 {
            // Wrapping around changes no low bit.
            let address = match memarg.offset.cast_signed() & low_bits {
                0 => index,
                offset => self.builder.ins().iadd_imm_s(index, offset),
            };
            let rest = self.builder.ins().band_imm_u(address, low_bits);
            self.trap_if(rest, Trap::HeapMisaligned);
        }
        let (address, offset) = self.address_at(memarg, index);
        match i64::from(i32::from(offset)) {
            0 => address,
            offset => self.builder.ins().iadd_imm_s(address, offset),
        }
    }

    /// Takes the index of an access off the stack.
    pub(super) fn pop_index(&mut self, memarg: &MemArg) -> Value {
        let index = self.pop();
        let is_64 = self.env.info.memories[accessed_memory(memarg).index()].is_64;
        self.widen_index(is_64, index)
    }

    fn address_at(&mut self, memarg: &MemArg, index: Value) -> (Value, Offset32) {
        let memory = accessed_memory(memarg);
        let ty = self.env.info.memories[memory.index()];
        match Bounds::of(&ty, self.env.tunables.reserve_memories) {
            Bounds::Reserved => self.reserved_address(memory, index, memarg.offset),
            Bounds::Pages if memarg.offset <= GUARD - MAX_ACCESS => {
                // What starts at or before the end and has a small offset ends in the guard.
                let len = self.memory_len(memory);
                let outside = self.builder.ins().icmp(IntCC::UnsignedGreaterThan, index, len);
                self.checked_address(memory, index, memarg.offset, outside)
            }
            Bounds::Pages => {
                let outside = self.ends_outside(memory, index, Some(memarg.offset));
                self.checked_address(memory, index, memarg.offset, outside)
            }
            Bounds::Bytes => {
                // The natural alignment of every access is its size.
                let end = memarg.offset.checked_add(1 << memarg.max_align);
                let outside = self.ends_outside(memory, index, end);
                self.checked_address(memory, index, memarg.offset, outside)
            }
        }
    }

    /// The address in a memory with 32-bit indices that reserves 8 GiB and a guard: index, offset
    /// and access together never reach beyond, and what is reserved but not part of the memory
    /// faults. So nothing is compared.
    fn reserved_address(
        &mut self,
        memory: MemoryIndex,
        index: Value,
        offset: u64,
    ) -> (Value, Offset32) {
        let base = self.memory_base(memory);
        let address = self.builder.ins().iadd(base, index);
        match i32::try_from(offset) {
            Ok(offset) => (address, offset.into()),
            Err(_) => {
                let offset = u32::try_from(offset)
                    .expect("validated: the offset of a 32-bit memory has 32 bits");
                let address = self.builder.ins().iadd_imm_s(address, i64::from(offset));
                (address, 0.into())
            }
        }
    }

    /// The address of an access, or null if it is `outside`.
    fn checked_address(
        &mut self,
        memory: MemoryIndex,
        index: Value,
        offset: u64,
        outside: Value,
    ) -> (Value, Offset32) {
        let base = self.memory_base(memory);
        let address = self.builder.ins().iadd(base, index);
        // Wraps around only for accesses outside.
        let address = match offset {
            0 => address,
            offset => self.builder.ins().iadd_imm_s(address, offset.cast_signed()),
        };
        (self.guarded(outside, address), 0.into())
    }

    /// `address`, or null if it is `outside` what it should be in: then an access faults, on a
    /// mispredicted path too. The access comes before anything else that relies on the address.
    pub(super) fn guarded(&mut self, outside: Value, address: Value) -> Value {
        let null = self.builder.ins().iconst(POINTER, 0);
        self.builder.ins().select_spectre_guard(outside, null, address)
    }

    /// The address of `len` bytes at `index`, which is 64 bits wide. If not all of them are in the
    /// memory, then accessing the last one faults, or accessing any.
    pub(super) fn range_address(&mut self, memory: MemoryIndex, index: Value, len: u8) -> Value {
        let ty = self.env.info.memories[memory.index()];
        let (address, _) = match Bounds::of(&ty, self.env.tunables.reserve_memories) {
            Bounds::Reserved => self.reserved_address(memory, index, 0),
            Bounds::Pages | Bounds::Bytes => {
                let outside = self.ends_outside(memory, index, Some(len.into()));
                self.checked_address(memory, index, 0, outside)
            }
        };
        address
    }

    /// Whether the range of `len` bytes at `index`, both 64 bits wide, is not inside the memory.
    pub(super) fn range_is_outside(
        &mut self,
        memory: MemoryIndex,
        index: Value,
        len: Value,
    ) -> Value {
        let room = self.memory_len(memory);
        self.exceeds(self.is_memory_64(memory.0), index, len, room)
    }

    /// Whether `index + len` is greater than `room`. `is_64` says whether a sum may overflow, because
    /// that is how wide addresses are.
    pub(super) fn exceeds(&mut self, is_64: bool, index: Value, len: Value, room: Value) -> Value {
        if is_64 {
            let (end, overflow) = self.builder.ins().uadd_overflow(index, len);
            let outside = self.builder.ins().icmp(IntCC::UnsignedGreaterThan, end, room);
            self.builder.ins().bor(outside, overflow)
        } else {
            let end = self.builder.ins().iadd(index, len);
            self.builder.ins().icmp(IntCC::UnsignedGreaterThan, end, room)
        }
    }

    /// The address of a range that control has found inside the memory, not `outside`: on a
    /// mispredicted path it may be null.
    pub(super) fn inside_address(
        &mut self,
        memory: MemoryIndex,
        index: Value,
        outside: Value,
    ) -> Value {
        let ty = self.env.info.memories[memory.index()];
        let base = self.memory_base(memory);
        let address = self.builder.ins().iadd(base, index);
        match Bounds::of(&ty, self.env.tunables.reserve_memories) {
            Bounds::Reserved => address,
            Bounds::Pages | Bounds::Bytes => self.guarded(outside, address),
        }
    }

    /// Whether `index + distance` is greater than the memory's length. No `distance` is one that does
    /// not fit in 64 bits.
    fn ends_outside(&mut self, memory: MemoryIndex, index: Value, distance: Option<u64>) -> Value {
        let Some(distance) = distance else { return self.builder.ins().iconst(I8, 1) };
        let room = self.memory_len(memory);
        let distance = self.builder.ins().iconst(I64, distance.cast_signed());
        self.exceeds(self.is_memory_64(memory.0), index, distance, room)
    }

    /// The length of a memory in bytes. That of a shared one may change at any time.
    pub(super) fn memory_len(&mut self, memory: MemoryIndex) -> Value {
        let (definition, offset) = self.definition(self.env.layout.memory(memory));
        let flags = self.context_flags();
        if self.env.info.memories[memory.index()].shared {
            let len = self.builder.ins().iadd_imm_s(definition, i64::from(offset + memory::LEN));
            return self.builder.ins().atomic_load(I64, flags, len);
        }
        self.builder.ins().load(I64, flags, definition, offset + memory::LEN)
    }

    /// The first byte of a memory; it never moves.
    fn memory_base(&mut self, memory: MemoryIndex) -> Value {
        let (definition, offset) = self.definition(self.env.layout.memory(memory));
        self.load_constant(definition, offset + memory::BASE)
    }

    /// Flags of an access: little-endian whatever the machine, of any alignment, and faulting
    /// outside the memory, so that it stays where it is even if nobody needs its result. Nothing is
    /// promised about who else writes: between two atomic operators, the specification lets accesses
    /// that are not atomic see each other's values late.
    pub(super) fn memory_flags(&self) -> MemFlagsData {
        MemFlagsData::new()
            .with_endianness(Endianness::Little)
            .with_alias_region(Some(self.regions.memory))
            .with_trap_code(Some(TrapCode::unwrap_user(Trap::MemoryOutOfBounds.code())))
    }
}

/// The memory that an access is to.
pub(super) fn accessed_memory(memarg: &MemArg) -> MemoryIndex {
    match memarg.target {
        MemArgTarget::Memory(memory) => MemoryIndex(memory),
        _ => unreachable!("an access to an array's bytes has an operator of its own"),
    }
}
