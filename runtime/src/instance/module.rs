//! A compiled module as its instances share it, and the handle to it that embedders hold.

use std::any::Any;
use std::sync::{Arc, OnceLock, Weak};

use super::engine::Engine;
use super::initial_data::InitialData;
use super::vmctx::SpareContexts;
use crate::abi::layout::VmCtxLayout;
use crate::code::{CodeObject, CodePtr};
use crate::compile::{self, Artifact};
use crate::error::Result;
use crate::wasm::index::{FuncIndex, FuncRefIndex, MemoryIndex, TypeIndex};
use crate::wasm::module::{ElementItems, EntityIndex, ModuleInfo};
use crate::wasm::types::{GlobalType, TableType, TypeId};
use crate::wasm::{decode, features};

/// A compiled module. Cheap to clone; its code is freed with the last module, store or backtrace that
/// uses it.
///
/// ```
/// use hostref::{Engine, Module, Result};
///
/// # fn main() -> Result<()> {
/// let engine = Engine::default();
/// let module = Module::new(&engine, r#"
///     (module
///         (import "env" "now" (func (result i64)))
///         (func (export "run") (param externref)))
/// "#)?;
/// let import = module.imports().next().unwrap();
/// assert_eq!((import.module(), import.name()), ("env", "now"));
/// let export = module.get_export("run").unwrap();
/// assert_eq!(export.to_string(), "(func (param externref))");
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Module {
    shared: Arc<ModuleShared>,
}

impl Module {
    pub(crate) fn shared(&self) -> &Arc<ModuleShared> {
        &self.shared
    }

    pub(crate) fn from_shared(shared: Arc<ModuleShared>) -> Module {
        Module { shared }
    }

    /// The module that owns the code of which a code map has `owner`, if it is not gone.
    pub(super) fn from_owner(owner: &Weak<dyn Any + Send + Sync>) -> Option<Module> {
        Some(Module { shared: owner.upgrade()?.downcast().ok()? })
    }
}

/// A compiled module. Its code lives as long as it.
pub(crate) struct ModuleShared {
    pub(crate) engine: Engine,
    pub(crate) info: Arc<ModuleInfo>,
    pub(crate) layout: VmCtxLayout,
    /// Engine ids of the module's types.
    pub(crate) type_ids: Box<[TypeId]>,
    /// The content of all data segments, which are ranges of it.
    data: Box<[u8]>,
    /// An exported memory, for host functions that use their caller's: the one that they mostly use.
    memory: Option<(Box<str>, MemoryIndex)>,
    code: CodeObject,
    /// The functions that have records, by the slots of these.
    records: Box<[RecordOf]>,
    /// The slots of imported functions.
    import_slots: Box<[FuncRefIndex]>,
    /// The slots of the functions that element segments list.
    element_slots: Box<[Box<[FuncRefIndex]>]>,
    spares: SpareContexts,
    /// Found when there is a first instance.
    initial_data: OnceLock<Option<InitialData>>,
}

/// A function of which each instance has a record.
#[derive(Debug)]
pub(crate) enum RecordOf {
    Defined { code: CodePtr, type_id: TypeId },
    Import(FuncIndex),
}

/// A module that has been compiled and not been published: it belongs to no engine.
pub(crate) struct CompiledModule<'a> {
    pub(crate) info: ModuleInfo,
    pub(crate) data: Box<[u8]>,
    pub(crate) artifact: Artifact<'a>,
}

impl CompiledModule<'_> {
    /// Validates and compiles `wasm` as `engine` wants it.
    pub(crate) fn new(engine: &Engine, wasm: &[u8]) -> Result<CompiledModule<'static>> {
        let shared = engine.shared();
        let inner = &shared.code;
        let allowed = shared.settings.features;
        let (mut info, artifact) = decode::decode(wasm, allowed)
            .and_then(|decoded| compile::compile_module(&*inner.isa, &inner.tunables, decoded))
            .map_err(|error| features::explain(error, wasm, allowed))?;
        let data = info.take_data(wasm);
        Ok(CompiledModule { info, data, artifact })
    }
}

impl ModuleShared {
    /// Validates and compiles `wasm`.
    pub(crate) fn compile(engine: &Engine, wasm: &[u8]) -> Result<Arc<ModuleShared>> {
        ModuleShared::publish(engine, CompiledModule::new(engine, wasm)?)
    }

    /// Makes a compiled module executable. It was compiled for an engine like `engine`.
    pub(crate) fn publish(
        engine: &Engine,
        compiled: CompiledModule<'_>,
    ) -> Result<Arc<ModuleShared>> {
        let CompiledModule { info, data, artifact } = compiled;
        let inner = &engine.shared().code;
        let info = Arc::new(info);
        let code = inner.publish(artifact, Some(info.clone()))?;
        let type_ids = inner.types_mut().register_module(&info.types, &info.groups)?;
        let records = records(&info, &type_ids, &code);
        let module = Arc::new(ModuleShared {
            engine: engine.clone(),
            layout: VmCtxLayout::new(&info),
            data,
            memory: usual_memory(&info),
            import_slots: import_slots(&records),
            element_slots: element_slots(&info),
            records,
            spares: SpareContexts::default(),
            type_ids,
            code,
            initial_data: OnceLock::new(),
            info,
        });
        let owner: Weak<ModuleShared> = Arc::downgrade(&module);
        module.code.set_owner(owner);
        Ok(module)
    }

    /// The published code.
    pub(crate) fn code(&self) -> &CodeObject {
        &self.code
    }

    /// The content of all data segments.
    pub(crate) fn all_data(&self) -> &[u8] {
        &self.data
    }

    /// What data segments put into the memories of every instance, if it is known beforehand.
    pub(crate) fn initial_data(&self) -> Option<&InitialData> {
        let find = || InitialData::new(&self.engine.shared().pool, &self.info, &self.data);
        self.initial_data.get_or_init(find).as_ref()
    }

    /// The functions of which each instance has a record, by the slots of these.
    pub(crate) fn records(&self) -> &[RecordOf] {
        &self.records
    }

    /// Which of these are of imported functions.
    pub(super) fn import_slots(&self) -> &[FuncRefIndex] {
        &self.import_slots
    }

    /// The slots of the functions that an element segment lists: none, if it has expressions.
    pub(super) fn element_slots(&self, segment: usize) -> &[FuncRefIndex] {
        &self.element_slots[segment]
    }

    /// What is kept for the next instances.
    pub(super) fn spares(&self) -> &SpareContexts {
        &self.spares
    }

    /// The memory that is exported as `name`.
    #[inline]
    pub(crate) fn exported_memory(&self, name: &str) -> Option<MemoryIndex> {
        match &self.memory {
            Some((usual, memory)) if **usual == *name => Some(*memory),
            _ => memory_of(self.info.export(name)?),
        }
    }

    /// The engine's id of a type of the module.
    pub(crate) fn type_id(&self, index: TypeIndex) -> TypeId {
        self.type_ids[index.index()]
    }

    /// The engine's id of a function's type.
    pub(crate) fn func_type_id(&self, func: FuncIndex) -> TypeId {
        self.type_id(self.info.functions[func.index()])
    }

    /// `ty` in the engine's terms.
    pub(crate) fn canonical_table(&self, ty: TableType<TypeIndex>) -> TableType {
        ty.map(&mut |index| self.type_id(index))
    }

    /// `ty` in the engine's terms.
    pub(crate) fn canonical_global(&self, ty: GlobalType<TypeIndex>) -> GlobalType {
        ty.map(&mut |index| self.type_id(index))
    }

    /// The content of a data segment.
    pub(crate) fn data(&self, segment: usize) -> &[u8] {
        &self.data[self.info.data[segment].bytes.clone()]
    }
}

fn records(info: &ModuleInfo, type_ids: &[TypeId], code: &CodeObject) -> Box<[RecordOf]> {
    let slots = info.func_refs.iter().enumerate();
    let mut slots: Vec<_> =
        slots.filter_map(|(func, slot)| Some(((*slot)?.index(), func))).collect();
    slots.sort_unstable();
    let slot = |(slot, _): &(usize, usize)| *slot;
    assert!(slots.iter().map(slot).eq(0..slots.len()), "slots are counted from 0 on");
    let record = |(_, func): (usize, usize)| match info.defined_func(FuncIndex::new(func)) {
        Some(defined) => RecordOf::Defined {
            code: code.function(defined.index()),
            type_id: type_ids[info.functions[func].index()],
        },
        None => RecordOf::Import(FuncIndex::new(func)),
    };
    slots.into_iter().map(record).collect()
}

fn import_slots(records: &[RecordOf]) -> Box<[FuncRefIndex]> {
    let is_import = |(_, record): &(usize, &RecordOf)| matches!(record, RecordOf::Import(_));
    let imports = records.iter().enumerate().filter(is_import);
    imports.map(|(slot, _)| FuncRefIndex::new(slot)).collect()
}

fn element_slots(info: &ModuleInfo) -> Box<[Box<[FuncRefIndex]>]> {
    let slot = |func: &FuncIndex| {
        info.func_refs[func.index()].expect("decode gives functions in segments a record")
    };
    let slots = info.elements.iter().map(|segment| match &segment.items {
        ElementItems::Functions(items) => items.iter().map(slot).collect(),
        ElementItems::Expressions(_) => Box::default(),
    });
    slots.collect()
}

/// The exported memory of the usual name, or else the first.
fn usual_memory(info: &ModuleInfo) -> Option<(Box<str>, MemoryIndex)> {
    let usual = "memory";
    match info.export(usual).and_then(memory_of) {
        Some(memory) => Some((usual.into(), memory)),
        None => {
            info.exports.iter().find_map(|(name, entity)| Some((name.clone(), memory_of(*entity)?)))
        }
    }
}

fn memory_of(entity: EntityIndex) -> Option<MemoryIndex> {
    match entity {
        EntityIndex::Memory(index) => Some(index),
        _ => None,
    }
}
