//! `Instance`: a module in a store, and the look-up of its exports.

use anyhow::{Context as _, bail};

use super::externs::Extern;
use super::func::Func;
use super::func::enter;
use super::func::typed::{TypedFunc, WasmParams, WasmResults};
use super::global::Global;
use super::linking;
use super::memory::Memory;
use super::module::{Module, ModuleExport};
use super::shared_memory::SharedMemory;
use super::store::{AsContext, AsContextMut, StoreContextMut};
use super::table::Table;
use super::tag::Tag;
use super::types::ExternType;
use crate::error::Result;
use crate::gc::roots::StoreId;
use crate::instance::instantiate::ImportValue;
use crate::instance::store::StoreInner;

/// An instantiated module.
///
/// Methods panic if the instance belongs to another store, unless they return a `Result`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Instance {
    store: StoreId,
    index: usize,
}

/// An export of an instance with its name.
#[derive(Clone, Debug)]
pub struct Export<'instance> {
    name: &'instance str,
    value: Extern,
}

impl<'instance> Export<'instance> {
    /// The export's name.
    pub fn name(&self) -> &'instance str {
        self.name
    }

    /// The type of what is exported.
    ///
    /// # Panics
    ///
    /// If it belongs to another store.
    pub fn ty(&self, store: impl AsContext) -> ExternType {
        self.value.ty(store)
    }

    /// What is exported.
    pub fn into_extern(self) -> Extern {
        self.value
    }

    /// The function, if this is one.
    pub fn into_func(self) -> Option<Func> {
        self.value.into_func()
    }

    /// The global, if this is one.
    pub fn into_global(self) -> Option<Global> {
        self.value.into_global()
    }

    /// The table, if this is one.
    pub fn into_table(self) -> Option<Table> {
        self.value.into_table()
    }

    /// The memory, if this is one that threads do not share.
    pub fn into_memory(self) -> Option<Memory> {
        self.value.into_memory()
    }

    /// The shared memory, if this is one.
    pub fn into_shared_memory(self) -> Option<SharedMemory> {
        self.value.into_shared_memory()
    }

    /// The tag, if this is one.
    pub fn into_tag(self) -> Option<Tag> {
        self.value.into_tag()
    }
}

impl Instance {
    /// Instantiates `module` with one import per [`Module::imports`], in that order, and runs its
    /// start function. A [`Linker`](crate::Linker) finds imports by name instead.
    ///
    /// # Errors
    ///
    /// A [`LinkError`](crate::LinkError) that names every import of the wrong type; any error of
    /// memory or table creation; the trap of a segment that does not fit, or of the start function.
    pub fn new(
        mut store: impl AsContextMut,
        module: &Module,
        imports: &[Extern],
    ) -> Result<Instance> {
        let mut store = store.as_context_mut();
        let definitions = linking::positional(store.inner(), module, imports)?;
        let values = linking::values(store.inner(), &definitions)?;
        Instance::instantiate(&mut store, module, &values)
    }

    /// Instantiates with imports that are known to fit.
    pub(crate) fn instantiate<T: 'static>(
        store: &mut StoreContextMut<'_, T>,
        module: &Module,
        imports: &[ImportValue<'_>],
    ) -> Result<Instance> {
        linking::same_engine(store.inner(), module)?;
        let shared = module.shared();
        let inner = store.inner_mut();
        let index = inner.instantiate(shared, imports)?;
        if let Some(start) = shared.info.start {
            let start = inner.instances[index].func(start);
            let start = start.expect("decode gives the start function a record");
            enter::call_start(store.0, index, start)?;
        }
        Ok(Instance::from_position(store.inner(), index))
    }

    /// The module.
    pub fn module(&self, store: impl AsContext) -> Module {
        let store = store.as_context();
        let index = self.position(store.inner()).expect("the instance belongs to this store");
        Module::from_shared(store.inner().instances[index].module.clone())
    }

    /// The export called `name`.
    pub fn get_export(&self, mut store: impl AsContextMut, name: &str) -> Option<Extern> {
        let inner = store.as_context_mut().into_inner();
        let index = self.position(inner).expect("the instance belongs to this store");
        let instance = &inner.instances[index];
        let entity = instance.entity(instance.module.info.export(name)?);
        Some(Extern::from_entity(inner, entity))
    }

    /// The export that [`Module::get_export_index`] found; `None` if it is another module's.
    pub fn get_module_export(
        &self,
        mut store: impl AsContextMut,
        export: &ModuleExport,
    ) -> Option<Extern> {
        let inner = store.as_context_mut().into_inner();
        let index = self.position(inner).expect("the instance belongs to this store");
        let instance = &inner.instances[index];
        let entity = instance.entity(export.entity(&instance.module)?);
        Some(Extern::from_entity(inner, entity))
    }

    /// All exports, in the module's order.
    pub fn exports<'a, T: 'static>(
        &'a self,
        store: impl Into<StoreContextMut<'a, T>>,
    ) -> impl ExactSizeIterator<Item = Export<'a>> + 'a {
        let inner: &StoreInner = store.into().into_inner();
        let index = self.position(inner).expect("the instance belongs to this store");
        let instance = &inner.instances[index];
        instance.module.info.exports.iter().map(move |(name, entity)| Export {
            name,
            value: Extern::from_entity(inner, instance.entity(*entity)),
        })
    }

    /// The function exported as `name`.
    pub fn get_func(&self, store: impl AsContextMut, name: &str) -> Option<Func> {
        self.get_export(store, name)?.into_func()
    }

    /// The function exported as `name`, with its type checked.
    ///
    /// # Errors
    ///
    /// If there is no export of the name, it is not a function, or has another type.
    pub fn get_typed_func<Params: WasmParams, Results: WasmResults>(
        &self,
        mut store: impl AsContextMut,
        name: &str,
    ) -> Result<TypedFunc<Params, Results>> {
        let mut store = store.as_context_mut();
        let Some(export) = self.get_export(&mut store, name) else {
            let module = self.module(&store);
            let names = module.exports().map(|export| export.name());
            let hint = linking::nearest(name, names);
            bail!("the instance has no export `{name}`{hint}");
        };
        let Extern::Func(func) = export else {
            bail!("the export `{name}` is not a function but {}", export.ty(&store));
        };
        func.typed(&store).with_context(|| format!("the export `{name}`"))
    }

    /// The memory exported as `name`; `None` if it is a shared one.
    pub fn get_memory(&self, store: impl AsContextMut, name: &str) -> Option<Memory> {
        self.get_export(store, name)?.into_memory()
    }

    /// The shared memory exported as `name`.
    pub fn get_shared_memory(&self, store: impl AsContextMut, name: &str) -> Option<SharedMemory> {
        self.get_export(store, name)?.into_shared_memory()
    }

    /// The table exported as `name`.
    pub fn get_table(&self, store: impl AsContextMut, name: &str) -> Option<Table> {
        self.get_export(store, name)?.into_table()
    }

    /// The global exported as `name`.
    pub fn get_global(&self, store: impl AsContextMut, name: &str) -> Option<Global> {
        self.get_export(store, name)?.into_global()
    }

    /// The tag exported as `name`.
    pub fn get_tag(&self, store: impl AsContextMut, name: &str) -> Option<Tag> {
        self.get_export(store, name)?.into_tag()
    }

    pub(crate) fn from_position(store: &StoreInner, index: usize) -> Instance {
        Instance { store: store.id(), index }
    }

    fn position(&self, store: &StoreInner) -> Option<usize> {
        (self.store == store.id()).then_some(self.index)
    }
}
