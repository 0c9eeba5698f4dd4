//! `Linker`: definitions by module name and name, and `InstancePre`, a module whose imports have been
//! found.

use std::collections::HashMap;
use std::marker::PhantomData;
use std::sync::Arc;

use anyhow::{Context as _, bail, ensure};

use super::caller::Caller;
use super::engine::Engine;
use super::externs::Extern;
use super::func::Func;
use super::func::host::{self, IntoFunc};
use super::func::shim::{self, HostFn};
use super::instance::Instance;
use super::linking::{self, Definition};
use super::module::{ImportType, Module};
use super::store::{AsContext, AsContextMut};
use super::types::{FuncType, ValType};
use super::value::Val;
use crate::api::global::Global;
use crate::error::Result;
use crate::instance::definition::DefSlot;
use crate::vm::value::ValRaw;
use crate::wasm::module::Import;
use crate::wasm::types::GlobalType;

/// Finds the imports of modules by name, for stores with data of type `T`.
///
/// Host functions are defined once and serve any number of stores.
///
/// ```
/// use hostref::{Caller, Engine, Linker, Module, Result, Store};
///
/// # fn main() -> Result<()> {
/// let engine = Engine::default();
/// let mut linker = Linker::new(&engine);
/// linker.func_wrap("env", "count", |mut caller: Caller<'_, u32>, by: u32| {
///     *caller.data_mut() += by;
/// })?;
/// let module = Module::new(&engine, r#"
///     (module
///         (import "env" "count" (func $count (param i32)))
///         (func (export "run") (call $count (i32.const 3))))
/// "#)?;
/// let mut store = Store::new(&engine, 0);
/// let instance = linker.instantiate(&mut store, &module)?;
/// instance.get_typed_func::<(), ()>(&mut store, "run")?.call(&mut store, ())?;
/// assert_eq!(*store.data(), 3);
/// # Ok(())
/// # }
/// ```
pub struct Linker<T: 'static> {
    engine: Engine,
    modules: HashMap<Arc<str>, HashMap<Arc<str>, Definition>>,
    allow_shadowing: bool,
    pub(super) allow_unknown_exports: bool,
    _data: PhantomData<fn() -> T>,
}

/// A module with its imports found and checked, ready to be instantiated again and again.
pub struct InstancePre<T: 'static> {
    module: Module,
    imports: Arc<[Definition]>,
    _data: PhantomData<fn() -> T>,
}

impl<T: 'static> Linker<T> {
    /// An empty linker.
    pub fn new(engine: &Engine) -> Linker<T> {
        Linker {
            engine: engine.clone(),
            modules: HashMap::new(),
            allow_shadowing: false,
            allow_unknown_exports: false,
            _data: PhantomData,
        }
    }

    /// The linker's engine.
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// Whether a later definition replaces an earlier one of the same name. By default that is an
    /// error.
    pub fn allow_shadowing(&mut self, allow: bool) -> &mut Linker<T> {
        self.allow_shadowing = allow;
        self
    }

    /// Defines something of a store. The linker then instantiates in that store only, unless it is a
    /// [`SharedMemory`](crate::SharedMemory), which belongs to none.
    ///
    /// # Errors
    ///
    /// If the name is taken, or `item` belongs to another store, or the store to another engine.
    pub fn define(
        &mut self,
        store: impl AsContext<Data = T>,
        module: &str,
        name: &str,
        item: impl Into<Extern>,
    ) -> Result<&mut Linker<T>> {
        let store = store.as_context();
        ensure!(
            Engine::same(store.engine(), &self.engine),
            "the store belongs to another engine than the linker"
        );
        let definition = Definition::of_extern(store.inner(), item.into())?;
        self.insert(module, name, definition)
    }

    /// As [`define`](Linker::define), under the empty module name.
    ///
    /// # Errors
    ///
    /// As [`define`](Linker::define).
    pub fn define_name(
        &mut self,
        store: impl AsContext<Data = T>,
        name: &str,
        item: impl Into<Extern>,
    ) -> Result<&mut Linker<T>> {
        self.define(store, "", name, item)
    }

    /// Defines a host function from a Rust closure; see [`Func::wrap`].
    ///
    /// # Errors
    ///
    /// If the name is taken.
    pub fn func_wrap<Params, Results>(
        &mut self,
        module: &str,
        name: &str,
        func: impl IntoFunc<T, Params, Results>,
    ) -> Result<&mut Linker<T>> {
        let def = func.into_host_func(&self.engine, &format!("{module}::{name}")).0;
        self.insert(module, name, Definition::Host(def))
    }

    /// Defines a host function over dynamically typed values; see [`Func::new`].
    ///
    /// # Errors
    ///
    /// If the name is taken, or `ty` belongs to another engine.
    pub fn func_new(
        &mut self,
        module: &str,
        name: &str,
        ty: FuncType,
        func: impl Fn(Caller<'_, T>, &[Val], &mut [Val]) -> Result<()> + Send + Sync + 'static,
    ) -> Result<&mut Linker<T>> {
        ensure!(Engine::same(ty.engine(), &self.engine), "the type belongs to another engine");
        let def = host::dynamic(&ty, format!("{module}::{name}"), func);
        self.insert(module, name, Definition::Host(def))
    }

    /// Defines a host function of the macros.
    pub(crate) fn define_host<H: HostFn<T>>(
        &mut self,
        module: &str,
        name: &str,
        host: H,
    ) -> Result<()> {
        let def = shim::define::<T, H>(&self.engine, &format!("{module}::{name}"), host);
        self.insert(module, name, Definition::Host(def))?;
        Ok(())
    }

    /// As [`Linker::define_host`], for a function that uses the memory of its callers; `wide` is the same
    /// function for callers whose memory is one of 64 bits.
    pub(crate) fn define_host_with_memory(
        &mut self,
        module: &str,
        name: &str,
        host: impl HostFn<T>,
        wide: impl HostFn<T>,
    ) -> Result<()> {
        let called = format!("{module}::{name}");
        let def = shim::define_with_memory::<T>(&self.engine, &called, host, wide);
        self.insert(module, name, Definition::Host(def))?;
        Ok(())
    }

    /// Defines an immutable global for any store.
    pub(crate) fn define_constant(
        &mut self,
        module: &str,
        name: &str,
        ty: ValType,
        value: ValRaw,
    ) -> Result<()> {
        let ty = GlobalType { content: ty.to_wasm(), mutable: false };
        self.insert(module, name, Definition::Constant(ty, value.get_v128()))?;
        Ok(())
    }

    /// Defines all exports of `instance` under the module name `module`.
    ///
    /// # Errors
    ///
    /// If a name is taken.
    ///
    /// # Panics
    ///
    /// If the instance belongs to another store.
    pub fn instance(
        &mut self,
        mut store: impl AsContextMut<Data = T>,
        module: &str,
        instance: Instance,
    ) -> Result<&mut Linker<T>> {
        let mut store = store.as_context_mut();
        let exports: Vec<(String, Extern)> = instance
            .exports(&mut store)
            .map(|export| (export.name().to_owned(), export.into_extern()))
            .collect();
        for (name, item) in exports {
            self.define(&store, module, &name, item)?;
        }
        Ok(self)
    }

    /// Defines `as_module::as_name` as what `module::name` is.
    ///
    /// # Errors
    ///
    /// If there is no `module::name`, or the new name is taken.
    pub fn alias(
        &mut self,
        module: &str,
        name: &str,
        as_module: &str,
        as_name: &str,
    ) -> Result<&mut Linker<T>> {
        let definition = self.find(module, name).cloned();
        let definition = definition.with_context(|| {
            format!("no definition `{module}::{name}`{}", self.hint(module, name))
        })?;
        self.insert(as_module, as_name, definition)
    }

    /// Defines everything of module name `module` under `as_module` as well.
    ///
    /// # Errors
    ///
    /// If nothing is defined under `module`, or a new name is taken.
    pub fn alias_module(&mut self, module: &str, as_module: &str) -> Result<()> {
        let definitions = self.modules.get(module).cloned();
        let definitions = definitions.with_context(|| format!("no definitions in `{module}`"))?;
        for (name, definition) in definitions {
            self.insert(as_module, &name, definition)?;
        }
        Ok(())
    }

    /// The definition of `module::name` in `store`.
    ///
    /// # Panics
    ///
    /// If the store belongs to another engine than the linker.
    pub fn get(
        &self,
        mut store: impl AsContextMut<Data = T>,
        module: &str,
        name: &str,
    ) -> Option<Extern> {
        let inner = store.as_context_mut().into_inner();
        let same = Arc::ptr_eq(&inner.engine, self.engine.shared());
        assert!(same, "the store belongs to another engine than the linker");
        match self.find(module, name)? {
            Definition::Extern(item, _) => Some(item.clone()),
            Definition::Constant(ty, bits) => {
                let global = inner.add_global(*ty, DefSlot::boxed(), *bits);
                Some(Global::from_position(inner, global).into())
            }
            Definition::Host(def) => {
                let ptr = inner.host_record(def, def.ty.id);
                let ptr = ptr.expect("a host function's trampoline compiles");
                Some(Func::from_ptr(inner, ptr).into())
            }
        }
    }

    /// The definition of an import in `store`.
    ///
    /// # Panics
    ///
    /// As [`get`](Linker::get).
    pub fn get_by_import(
        &self,
        store: impl AsContextMut<Data = T>,
        import: &ImportType<'_>,
    ) -> Option<Extern> {
        self.get(store, import.module(), import.name())
    }

    /// All definitions in `store` with their module names and names, in no particular order.
    ///
    /// # Panics
    ///
    /// As [`get`](Linker::get).
    pub fn iter<'a>(
        &'a self,
        mut store: impl AsContextMut<Data = T> + 'a,
    ) -> impl Iterator<Item = (&'a str, &'a str, Extern)> + 'a {
        self.names().filter_map(move |(module, name)| {
            Some((module, name, self.get(&mut store, module, name)?))
        })
    }

    /// The names of all definitions, in no particular order.
    pub fn names(&self) -> impl Iterator<Item = (&str, &str)> + '_ {
        let names = self.modules.iter();
        names.flat_map(|(module, names)| names.keys().map(move |name| (&**module, &**name)))
    }

    /// Instantiates `module` with the definitions of its imports and runs its start function.
    ///
    /// # Errors
    ///
    /// A [`LinkError`](crate::LinkError) that names every import that is missing or of another
    /// type; otherwise as [`Instance::new`].
    pub fn instantiate(
        &self,
        mut store: impl AsContextMut<Data = T>,
        module: &Module,
    ) -> Result<Instance> {
        let mut store = store.as_context_mut();
        let definitions = self.resolve(module)?;
        instantiate(&mut store, module, &definitions)
    }

    /// Finds and checks the imports of `module` once, for many instances.
    ///
    /// # Errors
    ///
    /// As [`instantiate`](Linker::instantiate) for imports.
    pub fn instantiate_pre(&self, module: &Module) -> Result<InstancePre<T>> {
        let imports = self.resolve(module)?.into();
        Ok(InstancePre { module: module.clone(), imports, _data: PhantomData })
    }

    fn resolve(&self, module: &Module) -> Result<Vec<Definition>> {
        ensure!(
            Engine::same(&self.engine, module.engine()),
            "the module was compiled by another engine than the linker's"
        );
        // Tables and memories may grow until the module is instantiated, which looks at them again.
        let find = |import: &Import| {
            Some(match self.find(&import.module, &import.name)? {
                Definition::Extern(item, ty) => Definition::Extern(item.clone(), ty.at_any_size()),
                any => any.clone(),
            })
        };
        linking::resolve(module, find, |import| self.hint(&import.module, &import.name))
    }

    fn find(&self, module: &str, name: &str) -> Option<&Definition> {
        self.modules.get(module)?.get(name)
    }

    /// Whether there is a definition of that name.
    pub(super) fn defines(&self, module: &str, name: &str) -> bool {
        self.find(module, name).is_some()
    }

    pub(super) fn insert(
        &mut self,
        module: &str,
        name: &str,
        definition: Definition,
    ) -> Result<&mut Linker<T>> {
        if !self.allow_shadowing && self.find(module, name).is_some() {
            bail!("`{module}::{name}` has been defined already; see `Linker::allow_shadowing`");
        }
        let names = self.modules.entry(module.into()).or_default();
        names.insert(name.into(), definition);
        Ok(self)
    }

    /// What to say about a missing definition: the one with the most similar name.
    fn hint(&self, module: &str, name: &str) -> String {
        let names: Vec<String> =
            self.names().map(|(module, name)| format!("{module}::{name}")).collect();
        linking::nearest(&format!("{module}::{name}"), names.iter().map(|name| &**name))
    }
}

fn instantiate<T: 'static>(
    store: &mut super::store::StoreContextMut<'_, T>,
    module: &Module,
    definitions: &[Definition],
) -> Result<Instance> {
    let values = linking::current_values(store.inner(), module, definitions)?;
    Instance::instantiate(store, module, &values)
}

impl<T: 'static> InstancePre<T> {
    /// The module.
    pub fn module(&self) -> &Module {
        &self.module
    }

    /// Instantiates the module in `store` and runs its start function.
    ///
    /// # Errors
    ///
    /// If the store is of another engine, or an import belongs to another store; otherwise as
    /// [`Instance::new`].
    pub fn instantiate(&self, mut store: impl AsContextMut<Data = T>) -> Result<Instance> {
        instantiate(&mut store.as_context_mut(), &self.module, &self.imports)
    }
}

impl<T: 'static> Clone for Linker<T> {
    fn clone(&self) -> Linker<T> {
        Linker {
            engine: self.engine.clone(),
            modules: self.modules.clone(),
            allow_shadowing: self.allow_shadowing,
            allow_unknown_exports: self.allow_unknown_exports,
            _data: PhantomData,
        }
    }
}

impl<T: 'static> Clone for InstancePre<T> {
    fn clone(&self) -> InstancePre<T> {
        let (module, imports) = (self.module.clone(), self.imports.clone());
        InstancePre { module, imports, _data: PhantomData }
    }
}

impl<T: 'static> std::fmt::Debug for Linker<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Linker").finish_non_exhaustive()
    }
}

impl<T: 'static> std::fmt::Debug for InstancePre<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("InstancePre").field("module", &self.module).finish_non_exhaustive()
    }
}
