//! What a linker puts in the place of imports that nothing defines: functions that stop the guest, or
//! the default value of the import's type.

use std::collections::HashSet;
use std::fmt;

use anyhow::{Context as _, bail, ensure};

use super::engine::Engine;
use super::externs::Extern;
use super::func::Func;
use super::global::Global;
use super::linker::Linker;
use super::memory::Memory;
use super::module::{ImportType, Module};
use super::shared_memory::SharedMemory;
use super::store::AsContextMut;
use super::table::Table;
use super::tag::Tag;
use super::types::{ExternType, ValType};
use super::value::{Ref, Val};
use crate::error::Result;

/// Nothing is defined for an import. That is why a module cannot be instantiated, a cause of
/// [`LinkError`](crate::LinkError), or why a guest was stopped when it called the function that it
/// imports: see [`Linker::define_unknown_imports_as_traps`].
///
/// ```
/// use hostref::{Engine, Linker, Module, Result, Store, UnknownImportError};
///
/// # fn main() -> Result<()> {
/// let engine = Engine::default();
/// let module = Module::new(&engine, r#"
///     (module (import "env" "now" (func $now)) (func (export "run") (call $now)))
/// "#)?;
/// let mut linker = Linker::new(&engine);
/// linker.define_unknown_imports_as_traps(&module)?;
/// let mut store = Store::new(&engine, ());
/// let instance = linker.instantiate(&mut store, &module)?;
/// let run = instance.get_typed_func::<(), ()>(&mut store, "run")?;
/// let error = run.call(&mut store, ()).unwrap_err();
/// let unknown = error.downcast_ref::<UnknownImportError>().expect("that is the cause");
/// assert_eq!((unknown.module(), unknown.name()), ("env", "now"));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct UnknownImportError {
    module: String,
    name: String,
    ty: ExternType,
}

impl UnknownImportError {
    pub(super) fn new(module: &str, name: &str, ty: ExternType) -> UnknownImportError {
        UnknownImportError { module: module.to_owned(), name: name.to_owned(), ty }
    }

    /// The module name of the import.
    pub fn module(&self) -> &str {
        &self.module
    }

    /// The name of the import.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The type of the import.
    pub fn ty(&self) -> ExternType {
        self.ty.clone()
    }
}

impl fmt::Display for UnknownImportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "unknown import: `{}::{}` has not been defined", self.module, self.name)
    }
}

impl std::error::Error for UnknownImportError {}

impl<T: 'static> Linker<T> {
    /// Defines every function that `module` imports and nothing defines so far as one that stops
    /// the guest with an [`UnknownImportError`] when it is called.
    ///
    /// # Errors
    ///
    /// If an undefined import is not a function, or the module was compiled by another engine than the
    /// linker's.
    pub fn define_unknown_imports_as_traps(&mut self, module: &Module) -> Result<()> {
        for import in self.unknown(module)? {
            let ExternType::Func(ty) = import.ty() else {
                let (from, name) = (import.module(), import.name());
                bail!("`{from}::{name}` is not a function: {} has not been defined", import.ty());
            };
            let (from, name) = (import.module(), import.name());
            let unknown = UnknownImportError::new(from, name, import.ty());
            self.func_new(from, name, ty, move |_, _, _| Err(unknown.clone().into()))?;
        }
        Ok(())
    }

    /// Defines everything that `module` imports and nothing defines so far as the
    /// [default value](ExternType::default_value) of its type: functions that return zeros and nulls,
    /// globals of zero or null, memories and tables as small as they may be, fresh tags.
    ///
    /// All but functions and shared memories belong to `store`; the linker then instantiates there only.
    ///
    /// ```
    /// use hostref::{Engine, Linker, Module, Result, Store};
    ///
    /// # fn main() -> Result<()> {
    /// let engine = Engine::default();
    /// let module = Module::new(&engine, r#"
    ///     (module
    ///         (import "env" "now" (func $now (result i64)))
    ///         (import "env" "memory" (memory 2))
    ///         (func (export "run") (result i64) (call $now)))
    /// "#)?;
    /// let mut store = Store::new(&engine, ());
    /// let mut linker = Linker::new(&engine);
    /// linker.define_unknown_imports_as_default_values(&mut store, &module)?;
    /// let instance = linker.instantiate(&mut store, &module)?;
    /// let run = instance.get_typed_func::<(), i64>(&mut store, "run")?;
    /// assert_eq!(run.call(&mut store, ())?, 0);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// If a type has no default value because a reference may not be null; if a memory or a table
    /// cannot be made; if the store or the module belongs to another engine than the linker.
    pub fn define_unknown_imports_as_default_values(
        &mut self,
        mut store: impl AsContextMut<Data = T>,
        module: &Module,
    ) -> Result<()> {
        for import in self.unknown(module)? {
            let (from, name) = (import.module(), import.name());
            match import.ty() {
                ExternType::Func(ty) => {
                    has_defaults(ty.results())
                        .with_context(|| format!("no default value for `{from}::{name}`"))?;
                    self.func_new(from, name, ty, |_, _, _| Ok(()))?;
                }
                ty => {
                    let value = ty.default_value(&mut store);
                    let value =
                        value.with_context(|| format!("no default value for `{from}::{name}`"))?;
                    self.define(&store, from, name, value)?;
                }
            }
        }
        Ok(())
    }

    /// The imports of `module` that nothing defines, each name once.
    fn unknown<'m>(&self, module: &'m Module) -> Result<Vec<ImportType<'m>>> {
        let same = Engine::same(self.engine(), module.engine());
        ensure!(same, "the module was compiled by another engine than the linker's");
        let mut seen = HashSet::new();
        let is_unknown = |import: &ImportType<'m>| {
            let name = (import.module(), import.name());
            !self.defines(import.module(), import.name()) && seen.insert(name)
        };
        Ok(module.imports().filter(is_unknown).collect())
    }
}

impl ExternType {
    /// Something of this type in `store`: a function that returns zeros and nulls, a global of zero or
    /// null, a memory or a table as small as it may be, a tag.
    ///
    /// ```
    /// use hostref::{Engine, ExternType, GlobalType, Mutability, Result, Store, ValType};
    ///
    /// # fn main() -> Result<()> {
    /// let mut store = Store::new(&Engine::default(), ());
    /// let ty = ExternType::Global(GlobalType::new(ValType::F32, Mutability::Const));
    /// let global = ty.default_value(&mut store)?.into_global().expect("it is a global");
    /// assert_eq!(global.get(&mut store).unwrap_f32(), 0.0);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// If a reference of the type may not be null, the type belongs to another engine, or a memory or
    /// a table cannot be made.
    pub fn default_value(&self, mut store: impl AsContextMut) -> Result<Extern> {
        let mut store = store.as_context_mut();
        Ok(match self {
            ExternType::Func(ty) => {
                let same = Engine::same(ty.engine(), store.engine());
                ensure!(same, "{ty} belongs to another engine");
                has_defaults(ty.results())?;
                Func::new(&mut store, ty.clone(), |_, _, _| Ok(())).into()
            }
            ExternType::Global(ty) => {
                let value = default_of(ty.content())?;
                Global::new(&mut store, ty.clone(), value)?.into()
            }
            ExternType::Table(ty) => {
                let null = Ref::null(ty.element().heap_type());
                Table::new(&mut store, ty.clone(), null)?.into()
            }
            ExternType::Memory(ty) if ty.is_shared() => {
                SharedMemory::new(store.engine(), ty.clone())?.into()
            }
            ExternType::Memory(ty) => Memory::new(&mut store, ty.clone())?.into(),
            ExternType::Tag(ty) => Tag::new(&mut store, ty)?.into(),
        })
    }
}

impl Val {
    /// The default value of `ty`: zero or null; `None` for references that may not be null.
    ///
    /// ```
    /// use hostref::{HeapType, RefType, Val, ValType};
    ///
    /// assert_eq!(Val::default_for_ty(&ValType::I64).unwrap().unwrap_i64(), 0);
    /// assert!(Val::default_for_ty(&ValType::EXTERNREF).unwrap().unwrap_externref().is_none());
    /// let object = ValType::Ref(RefType::new(false, HeapType::Extern));
    /// assert!(Val::default_for_ty(&object).is_none());
    /// ```
    pub fn default_for_ty(ty: &ValType) -> Option<Val> {
        ty.default_value()
    }
}

fn default_of(ty: &ValType) -> Result<Val> {
    ty.default_value().with_context(|| format!("{ty} has no default value"))
}

fn has_defaults(types: impl IntoIterator<Item = ValType>) -> Result<()> {
    types.into_iter().try_for_each(|ty| default_of(&ty).map(drop))
}
