//! `Module`: compiled code that can be instantiated in any store of its engine; its imports and exports.

use std::borrow::Cow;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, ensure};

use super::engine::Engine;
use super::types::{ExternType, FuncType, GlobalType, MemoryType, TableType, TagType};
use crate::error::Result;
use crate::instance::module::{CompiledModule, ModuleShared};
use crate::instance::serialized;
use crate::wasm::module::{EntityIndex, Import};
use crate::wasm::{decode, features};

pub use crate::instance::module::Module;

/// One import of a module.
#[derive(Clone)]
pub struct ImportType<'module> {
    of: &'module Module,
    import: &'module Import,
}

/// One export of a module.
#[derive(Clone)]
pub struct ExportType<'module> {
    of: &'module Module,
    name: &'module str,
    entity: EntityIndex,
}

/// An export of a module, found once so that instances need no look-up by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ModuleExport {
    module: usize,
    entity: EntityIndex,
}

/// What an instance of a module takes of the limits of a store: see [`Module::resources_required`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ResourcesRequired {
    /// The memories.
    pub num_memories: u32,
    /// The size of the largest one at first, in pages; `None` if there is none.
    pub max_initial_memory_size: Option<u64>,
    /// The tables.
    pub num_tables: u32,
    /// The size of the largest one at first, in elements; `None` if there is none.
    pub max_initial_table_size: Option<u64>,
}

impl Module {
    /// Compiles a module from the binary format or, with the feature `wat`, from text.
    ///
    /// # Errors
    ///
    /// If the bytes are not a valid module, with the offset of what is wrong; if they use a feature
    /// that is not supported, or switched off in [`Config`](crate::Config), which is named; if a
    /// function would cost too much to compile, with the limit.
    pub fn new(engine: &Engine, bytes: impl AsRef<[u8]>) -> Result<Module> {
        Module::from_binary(engine, &binary(bytes.as_ref())?)
    }

    /// As [`new`](Module::new), from the binary format only.
    ///
    /// # Errors
    ///
    /// As [`new`](Module::new).
    pub fn from_binary(engine: &Engine, binary: &[u8]) -> Result<Module> {
        wasm_only(binary)?;
        Ok(Module::from_shared(ModuleShared::compile(engine, binary)?))
    }

    /// As [`new`](Module::new), from a file.
    ///
    /// # Errors
    ///
    /// As [`new`](Module::new), or if the file cannot be read.
    pub fn from_file(engine: &Engine, file: impl AsRef<Path>) -> Result<Module> {
        let file = file.as_ref();
        let bytes =
            std::fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
        Module::new(engine, bytes).with_context(|| format!("in {}", file.display()))
    }

    /// Checks that `binary` is a valid module, without compiling it.
    ///
    /// # Errors
    ///
    /// As [`from_binary`](Module::from_binary).
    pub fn validate(engine: &Engine, binary: &[u8]) -> Result<()> {
        let allowed = engine.shared().settings.features;
        decode::validate(binary, allowed)
            .map_err(|error| features::explain(error, binary, allowed))?;
        decode::decode(binary, allowed).map(drop)
    }

    /// The compiled module as bytes, which [`deserialize`](Module::deserialize) loads again: in this
    /// process or in a later one, in an engine with the same settings on a machine that can do at least
    /// as much.
    ///
    /// # Errors
    ///
    /// If memory is short.
    ///
    /// ```
    /// use hostref::{Engine, Module, Result};
    ///
    /// # fn main() -> Result<()> {
    /// let engine = Engine::default();
    /// let module = Module::new(&engine, r#"(module $adder (func (export "add")))"#)?;
    /// let bytes = module.serialize()?;
    /// // SAFETY: the bytes are those that `serialize` made.
    /// let again = unsafe { Module::deserialize(&engine, &bytes)? };
    /// assert_eq!(again.name(), Some("adder"));
    /// # Ok(())
    /// # }
    /// ```
    pub fn serialize(&self) -> Result<Vec<u8>> {
        self.shared().serialize()
    }

    /// The module that `bytes` hold, which are what [`serialize`](Module::serialize) wrote.
    pub(crate) fn from_serialized(engine: &Engine, bytes: &[u8]) -> Result<Module> {
        let compiled = CompiledModule::deserialize(engine, bytes)?;
        Ok(Module::from_shared(ModuleShared::publish(engine, compiled)?))
    }

    /// The engine that compiled it.
    pub fn engine(&self) -> &Engine {
        &self.shared().engine
    }

    /// The name that the name section gives.
    pub fn name(&self) -> Option<&str> {
        self.shared().info.name.as_deref()
    }

    /// The imports, in the order in which [`Instance::new`](crate::Instance::new) takes them.
    pub fn imports(&self) -> impl ExactSizeIterator<Item = ImportType<'_>> + '_ {
        self.shared().info.imports.iter().map(move |import| ImportType { of: self, import })
    }

    /// The exports.
    pub fn exports(&self) -> impl ExactSizeIterator<Item = ExportType<'_>> + '_ {
        let exports = self.shared().info.exports.iter();
        exports.map(move |(name, entity)| ExportType { of: self, name, entity: *entity })
    }

    /// The type of the export called `name`.
    pub fn get_export(&self, name: &str) -> Option<ExternType> {
        Some(self.extern_type(self.shared().info.export(name)?))
    }

    /// The export called `name`, for look-ups that cost nothing.
    pub fn get_export_index(&self, name: &str) -> Option<ModuleExport> {
        let entity = self.shared().info.export(name)?;
        Some(ModuleExport { module: self.id(), entity })
    }

    /// Whether both are handles to one compiled module.
    pub fn same(a: &Module, b: &Module) -> bool {
        Arc::ptr_eq(a.shared(), b.shared())
    }

    /// What an instance takes of the limits of a store: the memories and tables that the module
    /// declares, without those that it imports.
    ///
    /// ```
    /// use hostref::{Engine, Module};
    ///
    /// # fn main() -> hostref::Result<()> {
    /// let wat = r#"(module (memory 2) (memory 5) (table 9 funcref))"#;
    /// let needs = Module::new(&Engine::default(), wat)?.resources_required();
    /// assert_eq!((needs.num_memories, needs.max_initial_memory_size), (2, Some(5)));
    /// assert_eq!((needs.num_tables, needs.max_initial_table_size), (1, Some(9)));
    /// # Ok(())
    /// # }
    /// ```
    pub fn resources_required(&self) -> ResourcesRequired {
        let info = &self.shared().info;
        let memories = &info.memories[info.imported_memories as usize..];
        let tables = &info.tables[info.imported_tables as usize..];
        ResourcesRequired {
            num_memories: memories.len() as u32,
            max_initial_memory_size: memories.iter().map(|ty| ty.limits.min).max(),
            num_tables: tables.len() as u32,
            max_initial_table_size: tables.iter().map(|table| table.ty.limits.min).max(),
        }
    }

    pub(crate) fn extern_type(&self, entity: EntityIndex) -> ExternType {
        let (shared, engine) = (self.shared(), self.engine());
        let info = &shared.info;
        match entity {
            EntityIndex::Func(func) => {
                ExternType::Func(FuncType::from_id(engine, shared.func_type_id(func)))
            }
            EntityIndex::Table(table) => {
                let ty = shared.canonical_table(info.tables[table.index()].ty);
                ExternType::Table(TableType::from_wasm(engine, ty))
            }
            EntityIndex::Memory(memory) => {
                ExternType::Memory(MemoryType::from_wasm(info.memories[memory.index()]))
            }
            EntityIndex::Global(global) => {
                let ty = shared.canonical_global(info.globals[global.index()]);
                ExternType::Global(GlobalType::from_wasm(engine, ty))
            }
            EntityIndex::Tag(tag) => {
                let id = shared.type_id(info.tags[tag.index()]);
                ExternType::Tag(TagType::new(FuncType::from_id(engine, id)))
            }
        }
    }

    fn id(&self) -> usize {
        Arc::as_ptr(self.shared()).addr()
    }
}

impl<'module> ImportType<'module> {
    /// The name of the module it is imported from.
    pub fn module(&self) -> &'module str {
        &self.import.module
    }

    /// Its name in that module.
    pub fn name(&self) -> &'module str {
        &self.import.name
    }

    /// Its type.
    pub fn ty(&self) -> ExternType {
        self.of.extern_type(self.import.entity)
    }
}

impl<'module> ExportType<'module> {
    /// Its name.
    pub fn name(&self) -> &'module str {
        self.name
    }

    /// Its type.
    pub fn ty(&self) -> ExternType {
        self.of.extern_type(self.entity)
    }
}

impl std::fmt::Debug for ImportType<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut import = f.debug_struct("ImportType");
        import.field("module", &self.module()).field("name", &self.name());
        import.field("ty", &self.ty()).finish()
    }
}

impl std::fmt::Debug for ExportType<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ExportType").field("name", &self.name).field("ty", &self.ty()).finish()
    }
}

impl ModuleExport {
    /// The entity, if the export is one of `module`.
    pub(crate) fn entity(&self, module: &Arc<ModuleShared>) -> Option<EntityIndex> {
        (self.module == Arc::as_ptr(module).addr()).then_some(self.entity)
    }
}

impl std::fmt::Debug for Module {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Module").field("name", &self.name()).finish_non_exhaustive()
    }
}

/// Refuses what is no module to be compiled, but one that was.
pub(crate) fn wasm_only(bytes: &[u8]) -> Result<()> {
    ensure!(
        !serialized::detect(bytes),
        "expected a module in the binary format, found a compiled one: see `Module::deserialize`"
    );
    Ok(())
}

#[cfg(feature = "wat")]
pub(crate) fn binary(bytes: &[u8]) -> Result<Cow<'_, [u8]>> {
    wasm_only(bytes)?;
    Ok(wat::parse_bytes(bytes)?)
}

#[cfg(not(feature = "wat"))]
pub(crate) fn binary(bytes: &[u8]) -> Result<Cow<'_, [u8]>> {
    Ok(Cow::Borrowed(bytes))
}
