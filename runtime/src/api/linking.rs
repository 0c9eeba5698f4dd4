//! Matching of definitions against a module's imports, and the error that lists everything that
//! does not fit.

use std::fmt;
use std::sync::Arc;

use super::engine::Engine;
use super::externs::Extern;
use super::module::Module;
use super::types::{ExternType, FuncType, GlobalType, MemoryType, TableType, TagType};
use super::unknown_imports::UnknownImportError;
use crate::error::{Error, Result};
use crate::instance::host_func::{HostFunc, MemoryUse};
use crate::instance::instantiate::ImportValue;
use crate::instance::store::StoreInner;
use crate::instance::vmctx::Entity;
use crate::wasm::module::{EntityIndex, Import};
use crate::wasm::subtype;
use crate::wasm::types::{
    GlobalType as WasmGlobal, MemoryType as WasmMemory, TableType as WasmTable, TypeId,
};

/// What may stand behind an import.
#[derive(Clone)]
pub(crate) enum Definition {
    /// A host function, for any store.
    Host(Arc<HostFunc>),
    /// An immutable global of a number type, for any store.
    Constant(WasmGlobal, u128),
    /// Something of one store, or a shared memory, with its type when it was defined.
    Extern(Extern, DefinedType),
}

/// The type of a definition. Tables and memories have a current size as well.
#[derive(Clone)]
pub(crate) enum DefinedType {
    Func(TypeId),
    Table(WasmTable, u64),
    Memory(WasmMemory, u64),
    Global(WasmGlobal),
    Tag(TypeId),
}

/// The imports of a module that cannot be satisfied: all of them. If nothing is defined for one of them,
/// an [`UnknownImportError`] is the cause, which `downcast` finds as well.
///
/// ```
/// use hostref::{Engine, LinkError, Linker, Module, Store};
///
/// # fn main() -> hostref::Result<()> {
/// let engine = Engine::default();
/// let module = Module::new(&engine, r#"
///     (module (import "env" "now" (func)) (import "env" "logs" (func)))
/// "#)?;
/// let mut linker = Linker::new(&engine);
/// linker.func_wrap("env", "log", || {})?;
/// let error = linker.instantiate(&mut Store::new(&engine, ()), &module).unwrap_err();
/// let error = error.downcast_ref::<LinkError>().unwrap();
/// assert_eq!(error.problems().len(), 2);
/// assert_eq!(error.problems()[1].to_string(),
///     "unknown import: `env::logs` of type (func) has not been defined; a similar \
///      name is `env::log`");
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct LinkError {
    problems: Vec<ImportProblem>,
}

/// An import that cannot be satisfied.
#[derive(Clone, Debug)]
pub struct ImportProblem {
    module: String,
    name: String,
    expected: ExternType,
    found: Found,
}

/// What stands against an import.
#[derive(Clone, Debug)]
enum Found {
    /// Nothing is defined under the name; what to say more.
    Nothing { hint: String },
    /// A definition of another type.
    Type(ExternType),
    /// A function that uses a memory of its callers, which this module does not export.
    NoMemory { ty: ExternType, export: &'static str, hint: String },
}

impl LinkError {
    /// The imports in question, in the module's order.
    pub fn problems(&self) -> &[ImportProblem] {
        &self.problems
    }

    /// The error of the whole crate, caused by the first unknown import if there is one.
    fn into_error(self) -> Error {
        match self.problems.iter().find(|problem| problem.found().is_none()) {
            Some(ImportProblem { module, name, expected, .. }) => {
                let unknown = UnknownImportError::new(module, name, expected.clone());
                Error::new(unknown).context(self)
            }
            None => self.into(),
        }
    }
}

impl ImportProblem {
    /// The name of the module it is imported from.
    pub fn module(&self) -> &str {
        &self.module
    }

    /// Its name in that module.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The type that the importing module asks for.
    pub fn expected(&self) -> &ExternType {
        &self.expected
    }

    /// The type of the definition; `None` if there is none of the name.
    pub fn found(&self) -> Option<&ExternType> {
        match &self.found {
            Found::Nothing { .. } => None,
            Found::Type(ty) | Found::NoMemory { ty, .. } => Some(ty),
        }
    }
}

impl fmt::Display for ImportProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ImportProblem { module, name, expected, found } = self;
        match found {
            Found::Type(found) => write!(
                f,
                "incompatible import type for `{module}::{name}`: expected {expected}, found {found}"
            ),
            Found::Nothing { hint } => write!(
                f,
                "unknown import: `{module}::{name}` of type {expected} has not been defined{hint}"
            ),
            Found::NoMemory { export, hint, .. } => write!(
                f,
                "`{module}::{name}` uses the memory of the module that imports it, which exports no \
                 memory `{export}`{hint}"
            ),
        }
    }
}

impl fmt::Display for LinkError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let [problem] = &*self.problems {
            return problem.fmt(f);
        }
        write!(f, "{} imports cannot be satisfied:", self.problems.len())?;
        self.problems.iter().try_for_each(|problem| write!(f, "\n    {problem}"))
    }
}

impl std::error::Error for LinkError {}

/// How many missing names of one module are compared with those that are defined.
const MAX_HINTS: usize = 16;

/// Finds a definition for every import of `module` and checks their types; every import that does
/// not fit is in the error. `hint` gives more to say about a missing name.
pub(crate) fn resolve(
    module: &Module,
    find: impl Fn(&Import) -> Option<Definition>,
    hint: impl Fn(&Import) -> String,
) -> Result<Vec<Definition>> {
    let mut definitions = Vec::new();
    let mut problems = Vec::new();
    for import in &module.shared().info.imports {
        let fitting = match find(import) {
            Some(definition) => fit(module, import.entity, definition),
            None if problems.len() < MAX_HINTS => Err(Found::Nothing { hint: hint(import) }),
            None => Err(Found::Nothing { hint: String::new() }),
        };
        let found = match fitting {
            Ok(definition) => {
                definitions.push(definition);
                continue;
            }
            Err(found) => found,
        };
        problems.push(ImportProblem {
            module: import.module.to_string(),
            name: import.name.to_string(),
            expected: module.extern_type(import.entity),
            found,
        });
    }
    match problems.is_empty() {
        true => Ok(definitions),
        false => Err(LinkError { problems }.into_error()),
    }
}

/// Definitions for the imports of `module` as `Instance::new` is given them.
pub(crate) fn positional(
    store: &StoreInner,
    module: &Module,
    imports: &[Extern],
) -> Result<Vec<Definition>> {
    same_engine(store, module)?;
    let (expected, found) = (module.imports().len(), imports.len());
    if expected != found {
        anyhow::bail!("expected {expected} imports, found {found}");
    }
    let definitions = imports.iter().map(|item| Definition::of_extern(store, item.clone()));
    resolve_in_order(module, &definitions.collect::<Result<Vec<_>>>()?)
}

/// The imports that were found for a module by name, as instantiation in `store` takes them.
/// Tables and memories are compared again: they may have grown since they were defined.
pub(crate) fn current_values<'a>(
    store: &StoreInner,
    module: &Module,
    definitions: &'a [Definition],
) -> Result<Vec<ImportValue<'a>>> {
    same_engine(store, module)?;
    let sized = |ty: &DefinedType| matches!(ty, DefinedType::Table(..) | DefinedType::Memory(..));
    if definitions.iter().any(|def| matches!(def, Definition::Extern(_, ty) if sized(ty))) {
        let current = definitions.iter().map(|definition| match definition {
            Definition::Extern(item, _) => Definition::of_extern(store, item.clone()),
            any => Ok(any.clone()),
        });
        resolve_in_order(module, &current.collect::<Result<Vec<_>>>()?)?;
    }
    values(store, definitions)
}

/// What instantiation in `store` takes of `definitions`.
pub(crate) fn values<'a>(
    store: &StoreInner,
    definitions: &'a [Definition],
) -> Result<Vec<ImportValue<'a>>> {
    // Collecting results would not make room for all at once.
    let mut values = Vec::with_capacity(definitions.len());
    for definition in definitions {
        values.push(definition.value(store)?);
    }
    Ok(values)
}

/// As [`resolve`], with one definition per import.
fn resolve_in_order(module: &Module, definitions: &[Definition]) -> Result<Vec<Definition>> {
    let next = std::cell::Cell::new(0);
    let find = |_: &Import| Some(definitions[next.replace(next.get() + 1)].clone());
    resolve(module, find, |_| String::new())
}

/// Checks that `module` can be instantiated in `store`: otherwise their types cannot be compared.
pub(crate) fn same_engine(store: &StoreInner, module: &Module) -> Result<()> {
    let same = Engine::same(module.engine(), &store.engine_handle);
    anyhow::ensure!(same, "the module was compiled by another engine than the store's");
    Ok(())
}

/// The bytes of a name above which none is compared with it: that takes time in proportion to the
/// product of their lengths, and guests choose the names.
const MAX_SIMILAR: usize = 200;

/// A clause that names the candidate most like `name`, if one is alike.
pub(crate) fn nearest<'a>(name: &str, candidates: impl Iterator<Item = &'a str>) -> String {
    if name.len() > MAX_SIMILAR {
        return String::new();
    }
    // Edits count characters, of up to 4 bytes.
    let most = 1 + name.len() / 3;
    let distance = |candidate: &str| strsim::damerau_levenshtein(name, candidate);
    let nearest = candidates
        .filter(|candidate| candidate.len().abs_diff(name.len()) <= 4 * most)
        .map(|candidate| (distance(candidate), candidate))
        .min();
    match nearest {
        Some((distance, candidate)) if distance <= most => {
            format!("; a similar name is `{candidate}`")
        }
        _ => String::new(),
    }
}

impl DefinedType {
    /// The same type of a table or a memory that has grown as much as it may.
    pub(crate) fn at_any_size(&self) -> DefinedType {
        match self {
            DefinedType::Table(ty, _) => DefinedType::Table(*ty, u64::MAX),
            DefinedType::Memory(ty, _) => DefinedType::Memory(*ty, u64::MAX),
            other => other.clone(),
        }
    }
}

impl Definition {
    /// Something of `store`; a function that wraps a host function is its definition again, so that
    /// it can take the imported type.
    pub(crate) fn of_extern(store: &StoreInner, item: Extern) -> Result<Definition> {
        let entity = match item.import_value(store)? {
            ImportValue::Entity(entity) => entity,
            ImportValue::Host(def) => return Ok(Definition::Host(def.clone())),
            ImportValue::Constant(ty, bits) => return Ok(Definition::Constant(ty, bits)),
            ImportValue::SharedMemory(memory) => {
                let ty = DefinedType::Memory(memory.ty, memory.pages());
                return Ok(Definition::Extern(item, ty));
            }
        };
        let ty = match entity {
            Entity::Func(func) => match store.host_func(func) {
                Some(def) => return Ok(Definition::Host(def.clone())),
                None => DefinedType::Func(func.type_id()),
            },
            Entity::Table(table) => {
                let table = &store.tables[table];
                DefinedType::Table(table.ty, table.len())
            }
            Entity::Memory(memory) => {
                let memory = &store.memories[memory];
                DefinedType::Memory(memory.ty, memory.pages())
            }
            Entity::Global(global) => DefinedType::Global(store.globals[global].ty),
            Entity::Tag(tag) => DefinedType::Tag(store.tags[tag].ty.id),
        };
        Ok(Definition::Extern(item, ty))
    }

    /// What instantiation in `store` takes.
    fn value(&self, store: &StoreInner) -> Result<ImportValue<'_>> {
        Ok(match self {
            Definition::Host(def) => ImportValue::Host(def),
            Definition::Constant(ty, bits) => ImportValue::Constant(*ty, *bits),
            Definition::Extern(item, _) => item.import_value(store)?,
        })
    }

    fn ty(&self, engine: &Engine) -> ExternType {
        match self {
            Definition::Host(def) => {
                ExternType::Func(FuncType::from_info(engine.clone(), def.ty.clone()))
            }
            Definition::Extern(_, DefinedType::Func(id)) => {
                ExternType::Func(FuncType::from_id(engine, *id))
            }
            Definition::Extern(_, DefinedType::Table(ty, _)) => {
                ExternType::Table(TableType::from_wasm(engine, *ty))
            }
            Definition::Extern(_, DefinedType::Memory(ty, _)) => {
                ExternType::Memory(MemoryType::from_wasm(*ty))
            }
            Definition::Constant(ty, _) | Definition::Extern(_, DefinedType::Global(ty)) => {
                ExternType::Global(GlobalType::from_wasm(engine, *ty))
            }
            Definition::Extern(_, DefinedType::Tag(id)) => {
                ExternType::Tag(TagType::new(FuncType::from_id(engine, *id)))
            }
        }
    }
}

/// What stands behind the import `entity` of `module`, if `definition` fits.
fn fit(module: &Module, entity: EntityIndex, definition: Definition) -> Result<Definition, Found> {
    let definition = match definition {
        Definition::Host(def) => Definition::Host(for_memory(module, def)?),
        other => other,
    };
    match fits(module, entity, &definition) {
        true => Ok(definition),
        false => Err(Found::Type(definition.ty(module.engine()))),
    }
}

/// The form of a host function for the memory that `module` exports, if it uses one.
fn for_memory(module: &Module, def: Arc<HostFunc>) -> Result<Arc<HostFunc>, Found> {
    let Some(MemoryUse { export, is_64 }) = def.memory else { return Ok(def) };
    let shared = module.shared();
    let Some(memory) = shared.exported_memory(export) else {
        let exports = shared.info.exports.iter().filter_map(|(name, entity)| match entity {
            EntityIndex::Memory(_) => Some(&**name),
            _ => None,
        });
        let hint = nearest(export, exports);
        let ty = Definition::Host(def).ty(module.engine());
        return Err(Found::NoMemory { ty, export, hint });
    };
    match (shared.info.memories[memory.index()].is_64, is_64, &def.wide) {
        (true, false, Some(wide)) => Ok(wide.clone()),
        _ => Ok(def),
    }
}

/// Whether `definition` may stand behind the import `entity` of `module`.
fn fits(module: &Module, entity: EntityIndex, definition: &Definition) -> bool {
    let shared = module.shared();
    let info = &shared.info;
    let types = shared.engine.shared().types();
    match (entity, definition) {
        (EntityIndex::Func(func), Definition::Host(def)) => {
            types.host_func_fits(def.signature(), types.func(shared.func_type_id(func)))
        }
        (EntityIndex::Func(func), Definition::Extern(_, DefinedType::Func(id))) => {
            types.is_subtype(*id, shared.func_type_id(func))
        }
        (EntityIndex::Table(index), Definition::Extern(_, DefinedType::Table(ty, size))) => {
            let wanted = shared.canonical_table(info.tables[index.index()].ty);
            types.table_matches(ty, *size, &wanted)
        }
        (EntityIndex::Memory(index), Definition::Extern(_, DefinedType::Memory(ty, size))) => {
            subtype::memory_matches(ty, *size, &info.memories[index.index()])
        }
        (
            EntityIndex::Global(index),
            Definition::Constant(ty, _) | Definition::Extern(_, DefinedType::Global(ty)),
        ) => {
            let wanted = shared.canonical_global(info.globals[index.index()]);
            types.global_matches(ty, &wanted)
        }
        (EntityIndex::Tag(index), Definition::Extern(_, DefinedType::Tag(id))) => {
            *id == shared.type_id(info.tags[index.index()])
        }
        _ => false,
    }
}
