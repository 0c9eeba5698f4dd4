//! Segments and bulk operations over memories and tables, as instructions and instantiation use
//! them. Bounds are checked before anything is written.

use super::definition::{OutOfBounds, PassiveElements, RawRef, range};
use super::memory::Memory;
use super::store::StoreInner;
use crate::error::Result;
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
        let StoreInner { instances, memories, .. } = self;
        let state = &instances[instance];
        let bytes = state.data(segment);
        let from = range(from, len, bytes.len() as u64).map_err(memory_trap)?;
        memories[state.memories[memory]].write(to, &bytes[from]).map_err(memory_trap)
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
        let StoreInner { vm, instances, tables, .. } = self;
        let state = &instances[instance];
        let items = state.elements[segment].items();
        let from = range(from, len, items.len() as u64).map_err(table_trap)?;
        let table = &mut tables[state.tables[table]];
        table.init(&vm.heap, to, items[from].iter().copied()).map_err(table_trap)
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
            let table = &mut self.tables[to_table];
            return table.copy_within(&self.vm.heap, to, from, len).map_err(table_trap);
        }
        let items = self.tables[from_table].slice(from, len).map_err(table_trap)?;
        let table = &mut self.tables[to_table];
        table.init(&self.vm.heap, to, items.into_iter()).map_err(table_trap)
    }

    /// Keeps the references of passive segment `segment` for `table.init`.
    pub(crate) fn set_segment(&mut self, instance: usize, segment: usize, items: Box<[RawRef]>) {
        let segment = &mut self.instances[instance].elements[segment];
        *segment = PassiveElements::new(&mut self.gc, items);
    }

    /// `elem.drop`.
    pub(crate) fn drop_segment(&mut self, instance: usize, segment: usize) {
        let segment = &mut self.instances[instance].elements[segment];
        std::mem::take(segment).forget(&mut self.gc);
    }

    /// Copies all elements of segment `segment` to `to`, as `table.init`.
    pub(super) fn init_table(
        &mut self,
        instance: usize,
        table: usize,
        to: u64,
        segment: usize,
    ) -> Result<()> {
        let StoreInner { vm, instances, tables, .. } = self;
        let state = &instances[instance];
        let table = state.tables[table];
        let written = match &state.module.info.elements[segment].items {
            // The segments of most modules. They may be long.
            ElementItems::Functions(_) => {
                tables[table].init(&vm.heap, to, state.listed(segment).map(RawRef::Func))
            }
            ElementItems::Expressions(_) => {
                let items = self.eval_elements(instance, segment)?;
                self.tables[table].init(&self.vm.heap, to, items.iter().copied())
            }
        };
        Ok(written.map_err(table_trap)?)
    }

    /// The references that element segment `segment` holds, as [`StoreInner::eval_refs`].
    pub(crate) fn eval_elements(
        &mut self,
        instance: usize,
        segment: usize,
    ) -> Result<Box<[RawRef]>> {
        let state = &self.instances[instance];
        let module = state.module.clone();
        let ElementSegment { ty, items, .. } = &module.info.elements[segment];
        match items {
            ElementItems::Functions(_) => Ok(state.listed(segment).map(RawRef::Func).collect()),
            ElementItems::Expressions(items) => {
                self.eval_refs(instance, items, module.info.is_func_heap(ty.heap))
            }
        }
    }
}

/// The trap of a memory access or a use of a data segment out of bounds.
pub(crate) fn memory_trap(_: OutOfBounds) -> Trap {
    Trap::MemoryOutOfBounds
}

/// The trap of a table access out of bounds.
pub(crate) fn table_trap(_: OutOfBounds) -> Trap {
    Trap::TableOutOfBounds
}
