//! Instantiation: allocate, link, initialise, in the specification's order. The start function is
//! called by the API, which knows the store's `T`.

use std::sync::Arc;

use super::definition::{DefSlot, FuncPtr, PassiveElements, RawRef};
use super::host_func::HostFunc;
use super::module::ModuleShared;
use super::segments::{memory_trap, table_trap};
use super::shared_memory::SharedMemory;
use super::store::StoreInner;
use super::vmctx::{Entity, Instance, VmCtxMemory};
use crate::abi::layout::Place;
use crate::error::Result;
use crate::vm::context::{VmFuncImport, VmFuncRef};
use crate::wasm::index::{FuncIndex, GlobalIndex, MemoryIndex, TableIndex, TagIndex};
use crate::wasm::module::{EntityIndex, ModuleInfo, Offset, SegmentMode};
use crate::wasm::types::GlobalType;

/// What stands behind an import.
pub(crate) enum ImportValue<'a> {
    Entity(Entity),
    /// A host definition: a record of exactly the imported type is made.
    Host(&'a Arc<HostFunc>),
    /// A number: a global of its own is made.
    Constant(GlobalType, u128),
    /// A memory that belongs to no store.
    SharedMemory(&'a Arc<SharedMemory>),
}

impl StoreInner {
    /// Instantiates `module` up to its start function and returns the instance's position. The
    /// imports have been checked against the module's.
    ///
    /// # Errors
    ///
    /// If the limiter refuses, or a memory or a table cannot be made; a trap if an active segment
    /// does not fit. What was written before stays, as the specification says.
    pub(crate) fn instantiate(
        &mut self,
        module: &Arc<ModuleShared>,
        imports: &[ImportValue<'_>],
    ) -> Result<usize> {
        self.permit_instance(module)?;
        self.make_room(&module.info, imports);
        let index = self.instances.len();
        let vm = self.vm_ptr();
        let mut new = NewInstance::new(module.clone(), VmCtxMemory::new(module, vm, index));
        for (import, value) in module.info.imports.iter().zip(imports) {
            new.import(self, import.entity, value)?;
        }
        let (memories, tables) = (self.memories.len(), self.tables.len());
        if let Err(error) = new.memories(self).and_then(|()| new.tables(self)) {
            // Their definitions stand in the vmctx that is given up.
            self.truncate_memories(memories);
            self.tables.truncate(tables);
            return Err(error);
        }
        new.tags(self);
        new.ctx.set_records(module, &new.imports);
        let uninitialised = new.globals(self);
        self.instances.push(new.finish());
        self.initialise(index, module, &uninitialised)?;
        Ok(index)
    }

    /// Runs the initialisers of a new instance, whose own globals are at these positions.
    fn initialise(
        &mut self,
        instance: usize,
        module: &ModuleShared,
        globals: &[usize],
    ) -> Result<()> {
        let before_data = self.before_data(instance, module, globals);
        if let (Err(_), Some(initial)) = (&before_data, module.initial_data()) {
            // Others may have its functions already, and see its memories.
            initial.withdraw(&mut self.memories, &self.instances[instance].memories);
        }
        before_data.and_then(|()| self.init_data(instance, module))
    }

    /// What comes before the data segments.
    fn before_data(
        &mut self,
        instance: usize,
        module: &ModuleShared,
        globals: &[usize],
    ) -> Result<()> {
        if module.info.declares_objects() {
            self.reserve_heap()?;
        }
        self.init_globals(instance, module, globals)?;
        self.init_tables(instance, module)?;
        self.init_elements(instance, module)
    }

    /// Makes room for an instance and its parts, and not for more while it is the first: most stores
    /// have one.
    fn make_room(&mut self, info: &ModuleInfo, imports: &[ImportValue<'_>]) {
        fn first<T>(parts: &mut Vec<T>, count: usize) {
            if parts.capacity() == 0 {
                parts.reserve_exact(count);
            }
        }
        first(&mut self.instances, 1);
        first(&mut self.memories, info.memories.len());
        first(&mut self.tables, info.tables.len());
        first(&mut self.globals, info.globals.len());
        let of_host = |import: &&ImportValue<'_>| matches!(import, ImportValue::Host(_));
        self.reserve_host_funcs(imports.iter().filter(of_host).count());
    }

    fn init_globals(
        &mut self,
        instance: usize,
        module: &ModuleShared,
        defined: &[usize],
    ) -> Result<()> {
        for (global, init) in defined.iter().zip(&module.info.global_inits) {
            let bits = self.eval(instance, init)?;
            self.globals[*global].set_bits(&self.vm.heap, bits);
        }
        Ok(())
    }

    fn init_tables(&mut self, instance: usize, module: &ModuleShared) -> Result<()> {
        for (index, table) in module.info.tables.iter().enumerate() {
            let Some(init) = &table.init else { continue };
            let is_func = module.info.is_func_heap(table.ty.element.heap);
            let value = self.eval_ref(instance, init, is_func)?;
            let table = &mut self.tables[self.instances[instance].tables[index]];
            let len = table.len();
            table.fill(&self.vm.heap, 0, value, len).map_err(table_trap)?;
        }
        Ok(())
    }

    fn init_elements(&mut self, instance: usize, module: &ModuleShared) -> Result<()> {
        for (index, segment) in module.info.elements.iter().enumerate() {
            match &segment.mode {
                SegmentMode::Declared => {}
                SegmentMode::Active { target, offset } => {
                    let at = self.eval_offset(
                        instance,
                        offset,
                        module.info.tables[target.index()].ty.is_64,
                    )?;
                    self.init_table(instance, target.index(), at, index)?;
                }
                SegmentMode::Passive => {
                    let items = self.eval_elements(instance, index)?;
                    self.set_segment(instance, index, items);
                }
            }
        }
        Ok(())
    }

    fn init_data(&mut self, instance: usize, module: &ModuleShared) -> Result<()> {
        if let Some(initial) = module.initial_data() {
            let positions = &self.instances[instance].memories;
            initial.apply(module.all_data(), &mut self.memories, positions);
            return Ok(());
        }
        for (index, segment) in module.info.data.iter().enumerate() {
            let SegmentMode::Active { target, offset } = &segment.mode else { continue };
            let is_64 = module.info.memories[target.index()].is_64;
            let at = self.eval_offset(instance, offset, is_64)?;
            let memory = self.instances[instance].memories[target.index()];
            self.memories[memory].write(at, module.data(index)).map_err(memory_trap)?;
        }
        Ok(())
    }

    fn eval_offset(&mut self, instance: usize, offset: &Offset, is_64: bool) -> Result<u64> {
        let bits = match offset {
            Offset::Fixed(at) => return Ok(*at),
            Offset::Computed(expr) => self.eval(instance, expr)? as u64,
        };
        Ok(if is_64 { bits } else { u64::from(bits as u32) })
    }
}

/// An instance whose vmctx is being filled.
struct NewInstance {
    module: Arc<ModuleShared>,
    ctx: VmCtxMemory,
    memories: Vec<usize>,
    tables: Vec<usize>,
    globals: Vec<usize>,
    tags: Vec<usize>,
    /// The records behind the imported functions.
    imports: Vec<VmFuncRef>,
}

impl NewInstance {
    fn new(module: Arc<ModuleShared>, ctx: VmCtxMemory) -> NewInstance {
        let info = &module.info;
        NewInstance {
            ctx,
            memories: Vec::with_capacity(info.memories.len()),
            tables: Vec::with_capacity(info.tables.len()),
            globals: Vec::with_capacity(info.globals.len()),
            tags: Vec::with_capacity(info.tags.len()),
            imports: Vec::with_capacity(info.imported_functions as usize),
            module,
        }
    }

    fn import(
        &mut self,
        store: &mut StoreInner,
        index: EntityIndex,
        value: &ImportValue<'_>,
    ) -> Result<()> {
        match (index, value) {
            (EntityIndex::Func(func), ImportValue::Host(def)) => {
                let record = store.host_record(def, self.module.func_type_id(func))?;
                self.import_func(func, record);
            }
            (EntityIndex::Func(func), ImportValue::Entity(Entity::Func(record))) => {
                self.import_func(func, *record);
            }
            (EntityIndex::Memory(index), ImportValue::Entity(Entity::Memory(memory))) => {
                self.foreign_memory(store, index, *memory);
            }
            (EntityIndex::Memory(index), ImportValue::SharedMemory(memory)) => {
                let memory = store.add_shared_memory(memory);
                self.foreign_memory(store, index, memory);
            }
            (EntityIndex::Table(index), ImportValue::Entity(Entity::Table(table))) => {
                let place = self.module.layout.table(index);
                self.ctx.definition(place, || store.tables[*table].address());
                self.tables.push(*table);
            }
            (EntityIndex::Global(index), ImportValue::Entity(Entity::Global(global))) => {
                let place = self.module.layout.global(index);
                self.ctx.definition(place, || store.globals[*global].address());
                self.globals.push(*global);
            }
            (EntityIndex::Global(index), ImportValue::Constant(ty, bits)) => {
                let global = store.add_global(*ty, DefSlot::boxed(), *bits);
                let place = self.module.layout.global(index);
                self.ctx.definition(place, || store.globals[global].address());
                self.globals.push(global);
            }
            (EntityIndex::Tag(index), ImportValue::Entity(Entity::Tag(tag))) => {
                self.ctx.set_tag(&self.module, index, *tag);
                self.tags.push(*tag);
            }
            _ => panic!("the linker has checked the kinds of all imports"),
        }
        Ok(())
    }

    /// A memory whose definition is not in this vmctx.
    fn foreign_memory(&mut self, store: &StoreInner, index: MemoryIndex, memory: usize) {
        let place = self.module.layout.memory(index);
        self.ctx.definition(place, || store.memories[memory].address());
        self.memories.push(memory);
    }

    fn import_func(&mut self, func: FuncIndex, record: FuncPtr) {
        let record = record.record();
        let VmFuncRef { code, ctx, .. } = record;
        self.ctx.set_import(&self.module, func, VmFuncImport { code, ctx });
        self.imports.push(record);
    }

    fn memories(&mut self, store: &mut StoreInner) -> Result<()> {
        let module = self.module.clone();
        let (info, initial) = (&module.info, module.initial_data());
        for index in info.imported_memories as usize..info.memories.len() {
            let (ty, index) = (info.memories[index], MemoryIndex::new(index));
            if ty.shared {
                let memory = SharedMemory::new(&store.engine_handle, ty)?;
                let memory = store.add_shared_memory(&memory);
                self.foreign_memory(store, index, memory);
            } else {
                let def = self.inline(self.module.layout.memory(index));
                let image = initial.and_then(|initial| initial.image(index));
                self.memories.push(store.add_memory(ty, def, image)?);
            }
        }
        Ok(())
    }

    fn tables(&mut self, store: &mut StoreInner) -> Result<()> {
        let info = self.module.info.clone();
        for index in info.imported_tables as usize..info.tables.len() {
            let def = self.inline(self.module.layout.table(TableIndex::new(index)));
            let ty = info.tables[index].ty;
            let null = match info.is_func_heap(ty.element.heap) {
                true => RawRef::Func(None),
                false => RawRef::Gc(0),
            };
            let ty = self.module.canonical_table(ty);
            self.tables.push(store.add_table(ty, def, null)?);
        }
        Ok(())
    }

    /// Adds the defined globals with zero values and returns their positions.
    fn globals(&mut self, store: &mut StoreInner) -> Vec<usize> {
        let info = self.module.info.clone();
        let first = self.globals.len();
        for index in first..info.globals.len() {
            let def = self.inline(self.module.layout.global(GlobalIndex::new(index)));
            let ty = self.module.canonical_global(info.globals[index]);
            self.globals.push(store.add_global(ty, def, 0));
        }
        self.globals[first..].to_vec()
    }

    fn tags(&mut self, store: &mut StoreInner) {
        for index in self.tags.len()..self.module.info.tags.len() {
            let ty = self.module.type_id(self.module.info.tags[index]);
            let tag = store.add_tag(ty);
            self.ctx.set_tag(&self.module, TagIndex::new(index), tag);
            self.tags.push(tag);
        }
    }

    fn inline(&self, place: Place) -> DefSlot {
        let imported = || panic!("a defined entity stands in the vmctx itself");
        self.ctx.definition(place, imported).expect("a defined entity stands in the vmctx itself")
    }

    fn finish(self) -> Instance {
        let info = &self.module.info;
        Instance {
            dropped_data: Vec::new(),
            elements: info.elements.iter().map(|_| PassiveElements::default()).collect(),
            module: self.module,
            ctx: self.ctx,
            memories: self.memories.into(),
            tables: self.tables.into(),
            globals: self.globals.into(),
            tags: self.tags.into(),
        }
    }
}
