//! Addresses in linear memories. This is the only place that knows why an access cannot leave its
//! memory's reservation.

use cranelift_codegen::ir::immediates::Offset32;
use cranelift_codegen::ir::{Endianness, InstBuilder, MemFlagsData, TrapCode, Value};
use wasmparser::{MemArg, MemArgTarget};

use super::Translator;
use crate::Trap;
use crate::abi::layout::memory;
use crate::wasm::index::MemoryIndex;

impl Translator<'_> {
    /// The address of an access as a base and a constant to add, taking the index off the stack.
    ///
    /// A memory has 32-bit indices and reserves 8 GiB and a guard: index, offset and access
    /// together never reach beyond, and what is reserved but not part of the memory faults. So
    /// nothing is compared.
    pub(super) fn address(&mut self, memarg: &MemArg) -> (Value, Offset32) {
        let MemArgTarget::Memory(memory) = memarg.target else {
            unreachable!("an access to an array's bytes has an operator of its own")
        };
        let index = self.pop();
        let index = self.widen(index);
        let base = self.memory_base(MemoryIndex(memory));
        let address = self.builder.ins().iadd(base, index);
        match i32::try_from(memarg.offset) {
            Ok(offset) => (address, offset.into()),
            Err(_) => {
                let offset = u32::try_from(memarg.offset)
                    .expect("validated: the offset of a 32-bit memory has 32 bits");
                let address = self.builder.ins().iadd_imm_s(address, i64::from(offset));
                (address, 0.into())
            }
        }
    }

    /// The first byte of a memory; it never moves.
    fn memory_base(&mut self, memory: MemoryIndex) -> Value {
        let (definition, offset) = self.definition(self.env.layout.memory(memory));
        self.load_constant(definition, offset + memory::BASE)
    }

    /// Flags of an access: little-endian whatever the machine, of any alignment, and faulting
    /// outside the memory, so that it stays where it is even if nobody needs its result.
    pub(super) fn memory_flags(&self) -> MemFlagsData {
        MemFlagsData::new()
            .with_endianness(Endianness::Little)
            .with_alias_region(Some(self.regions.memory))
            .with_trap_code(Some(TrapCode::unwrap_user(Trap::MemoryOutOfBounds.code())))
    }
}
