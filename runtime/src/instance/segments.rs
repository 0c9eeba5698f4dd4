//! Segments and bulk operations over memories and tables, as instructions and instantiation use
//! them. Bounds are checked before anything is written.

use super::definition::{OutOfBounds, RawRef, range};
use super::memory::Memory;
use super::store::StoreInner;
use crate::trap::Trap;
use crate::wasm::module::{ElementItems, ElementSegment};

impl StoreInner {
    /// `memory.init`: copies `len` bytes of data segment `segment` from `from` on to `to`.
    pub(crate) fn memory_init(
        &mut self,
        instance: usize,
        memory: usize,
        segment: usize,
        to: u64,
        from: u64,
        len: u64,
    ) -> Result<(), Trap> {
        let state = &self.instances[instance];
        let module = state.module.clone();
        let bytes = if state.dropped_data[segment] { &[] } else { module.data(segment) };
        let from = range(from, len, bytes.len() as u64).map_err(memory_trap)?;
        self.memories[state.memories[memory]].write(to, &bytes[from]).map_err(memory_trap)
    }

    /// `memory.fill`.
    pub(crate) fn memory_fill(
        &mut self,
        memory: usize,
        at: u64,
        byte: u8,
        len: u64,
    ) -> Result<(), Trap> {
        self.memories[memory].fill(at, byte, len).map_err(memory_trap)
    }

    /// `memory.copy` between memories at these positions of the store.
    pub(crate) fn memory_copy(
        &mut self,
        to_memory: usize,
        from_memory: usize,
        to: u64,
        from: u64,
        len: u64,
    ) -> Result<(), Trap> {
        let (to, from) = ((to_memory, to), (from_memory, from));
        Memory::copy(&mut self.memories, to, from, len).map_err(memory_trap)
    }

    /// `table.init`: copies `len` elements of segment `segment` from `from` on to `to`.
    pub(crate) fn table_init(
        &mut self,
        instance: usize,
        table: usize,
        segment: usize,
        to: u64,
        from: u64,
        len: u64,
    ) -> Result<(), Trap> {
        let StoreInner { instances, tables, .. } = self;
        let state = &instances[instance];
        let items = &state.elements[segment];
        let from = range(from, len, items.len() as u64).map_err(table_trap)?;
        let table = &mut tables[state.tables[table]];
        table.init(to, items[from].iter().copied()).map_err(table_trap)
    }

    /// `table.copy` between tables at these positions of the store.
    pub(crate) fn table_copy(
        &mut self,
        to_table: usize,
        from_table: usize,
        to: u64,
        from: u64,
        len: u64,
    ) -> Result<(), Trap> {
        if to_table == from_table {
            return self.tables[to_table].copy_within(to, from, len).map_err(table_trap);
        }
        let items = self.tables[from_table].slice(from, len).map_err(table_trap)?;
        self.tables[to_table].init(to, items.into_iter()).map_err(table_trap)
    }

    /// The references that element segment `segment` holds.
    pub(crate) fn eval_elements(&self, instance: usize, segment: &ElementSegment) -> Box<[RawRef]> {
        let state = &self.instances[instance];
        match &segment.items {
            ElementItems::Functions(items) => {
                items.iter().map(|func| RawRef::Func(state.func(*func))).collect()
            }
            ElementItems::Expressions(items) => {
                let is_func = state.module.info.is_func_heap(segment.ty.heap);
                items.iter().map(|expr| self.eval_ref(instance, expr, is_func)).collect()
            }
        }
    }
}

fn memory_trap(_: OutOfBounds) -> Trap {
    Trap::MemoryOutOfBounds
}

/// The trap of a table access out of bounds.
pub(crate) fn table_trap(_: OutOfBounds) -> Trap {
    Trap::TableOutOfBounds
}
