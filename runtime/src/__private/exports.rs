//! Finding the exports of a guest. Looks at all of them before it reports, in one error, what does
//! not fit, with what was found instead.

use std::fmt;
use std::marker::PhantomData;

use super::export_types::{Arguments, ExportResult, Outcomes};
use crate::api::convert::LoadError;
use crate::api::engine::Engine;
use crate::api::externs::Extern;
use crate::api::func::Func;
use crate::api::func::typed::{self, TypedFunc};
use crate::api::global::Global;
use crate::api::instance::Instance;
use crate::api::linker::InstancePre;
use crate::api::linking;
use crate::api::memory::Memory;
use crate::api::module::{Module, ModuleExport};
use crate::api::store::{AsContextMut, StoreContextMut};
use crate::api::table::Table;
use crate::api::types::ExternType;
use crate::error::{Error, Result};
use crate::instance::store::StoreInner;

/// An exported function that was found and has the right type.
pub struct Function<P: Arguments, R: Outcomes> {
    name: &'static str,
    func: TypedFunc<P::Wasm, <R::Value as ExportResult>::Wasm>,
}

impl<P: Arguments, R: Outcomes> Function<P, R> {
    /// Calls it.
    ///
    /// # Errors
    ///
    /// As [`TypedFunc::call`].
    #[inline]
    pub fn call(&self, mut store: impl AsContextMut, values: P::Values) -> Result<R::Value> {
        let mut store = store.as_context_mut();
        let values = P::prepare(values, store.inner_mut())?;
        match self.func.call(store, values) {
            Ok(result) => Ok(R::Value::finish(result)),
            Err(error) => Err(in_export(error, self.name)),
        }
    }
}

/// Says which export returned a value that does not fit.
#[cold]
fn in_export(error: Error, name: &str) -> Error {
    match error.is::<LoadError>() {
        true => error.context(format!("the export `{name}`")),
        false => error,
    }
}

/// An exported function that may be absent.
pub struct OptionalFunction<P: Arguments, R: Outcomes>(Option<Function<P, R>>);

impl<P: Arguments, R: Outcomes> OptionalFunction<P, R> {
    /// Calls it if it exists.
    ///
    /// # Errors
    ///
    /// As [`TypedFunc::call`].
    #[inline]
    pub fn call(&self, store: impl AsContextMut, values: P::Values) -> Result<Option<R::Value>> {
        self.0.as_ref().map(|function| function.call(store, values)).transpose()
    }

    /// Whether it exists.
    pub fn exists(&self) -> bool {
        self.0.is_some()
    }
}

/// An export that is no function with a Rust type.
#[derive(Clone, Copy, Debug)]
pub struct Item<T: ExportItem>(T);

impl<T: ExportItem> Item<T> {
    /// The handle.
    pub fn get(&self) -> T {
        self.0.clone()
    }
}

/// A type that a field of `#[wasm_exports]` may have besides functions.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not something that a guest exports",
    label = "not an export",
    note = "a field is a function, `fn(a: A) -> R` or `Option<fn(a: A) -> R>`, or one of `Memory`, \
            `Table`, `Global`, `Func` and `Option`s of them"
)]
pub trait ExportItem: Clone {
    /// What messages call it.
    const KIND: &'static str;
    /// Whether a guest may do without it.
    const OPTIONAL: bool = false;

    /// The handle, if the export is of the right kind.
    fn from_export(export: Extern) -> Option<Self>;

    /// Whether an export of this type is of the right kind.
    fn is_kind(ty: &ExternType) -> bool;

    /// The handle of an export that does not exist.
    fn absent() -> Option<Self> {
        None
    }
}

macro_rules! items {
    ($($handle:ident $kind:literal $convert:ident;)*) => {$(
        impl ExportItem for $handle {
            const KIND: &'static str = $kind;

            fn from_export(export: Extern) -> Option<$handle> {
                export.$convert()
            }

            fn is_kind(ty: &ExternType) -> bool {
                matches!(ty, ExternType::$handle(_))
            }
        }
    )*};
}

items! {
    Func "a function" into_func;
    Memory "a memory" into_memory;
    Table "a table" into_table;
    Global "a global" into_global;
}

impl<T: ExportItem> ExportItem for Option<T> {
    const KIND: &'static str = T::KIND;
    const OPTIONAL: bool = true;

    fn from_export(export: Extern) -> Option<Option<T>> {
        T::from_export(export).map(Some)
    }

    fn is_kind(ty: &ExternType) -> bool {
        T::is_kind(ty)
    }

    fn absent() -> Option<Option<T>> {
        Some(None)
    }
}

/// A field of a struct of exports.
pub trait Export: Sized {
    /// Whether an export of type `ty` fits; `None` stands for no export.
    #[doc(hidden)]
    fn check(engine: &Engine, ty: Option<&ExternType>) -> Result<(), Problem>;

    /// The field for an export of which [`Export::check`] found that it fits.
    #[doc(hidden)]
    fn bind(name: &'static str, store: &StoreInner, export: Option<Extern>) -> Result<Self>;
}

/// Why an export does not fit.
#[doc(hidden)]
#[derive(Debug)]
pub enum Problem {
    Missing { expected: &'static str },
    Kind { expected: &'static str },
    Type(Error),
}

const FUNCTION: &str = "a function";

impl<P: Arguments, R: Outcomes> Export for Function<P, R> {
    fn check(engine: &Engine, ty: Option<&ExternType>) -> Result<(), Problem> {
        match ty {
            Some(ExternType::Func(ty)) => {
                typed::check::<P::Wasm, <R::Value as ExportResult>::Wasm>(engine, &ty.info().ty)
                    .map(drop)
                    .map_err(Problem::Type)
            }
            Some(_) => Err(Problem::Kind { expected: FUNCTION }),
            None => Err(Problem::Missing { expected: FUNCTION }),
        }
    }

    fn bind(name: &'static str, store: &StoreInner, export: Option<Extern>) -> Result<Self> {
        let func = export.and_then(Extern::into_func).ok_or_else(vanished)?;
        Ok(Function { name, func: TypedFunc::new(func, store)? })
    }
}

impl<P: Arguments, R: Outcomes> Export for OptionalFunction<P, R> {
    fn check(engine: &Engine, ty: Option<&ExternType>) -> Result<(), Problem> {
        match ty {
            None => Ok(()),
            found => Function::<P, R>::check(engine, found),
        }
    }

    fn bind(name: &'static str, store: &StoreInner, export: Option<Extern>) -> Result<Self> {
        let function = export.map(|export| Function::bind(name, store, Some(export)));
        Ok(OptionalFunction(function.transpose()?))
    }
}

impl<T: ExportItem> Export for Item<T> {
    fn check(_: &Engine, ty: Option<&ExternType>) -> Result<(), Problem> {
        match ty {
            Some(ty) if T::is_kind(ty) => Ok(()),
            Some(_) => Err(Problem::Kind { expected: T::KIND }),
            None if T::OPTIONAL => Ok(()),
            None => Err(Problem::Missing { expected: T::KIND }),
        }
    }

    fn bind(_: &'static str, _: &StoreInner, export: Option<Extern>) -> Result<Self> {
        let item = match export {
            Some(export) => T::from_export(export),
            None => T::absent(),
        };
        item.map(Item).ok_or_else(vanished)
    }
}

#[cold]
fn vanished() -> Error {
    Error::msg("the instance is of another module than the one whose exports were checked")
}

/// The fields of a struct of exports: `(first, (second, .. ()))`.
pub trait ExportList: Sized {
    /// Checks the exports called `names`, adding to `mistakes`.
    #[doc(hidden)]
    fn check(module: &Module, names: &[&'static str], mistakes: &mut Vec<String>);

    /// The fields.
    #[doc(hidden)]
    fn bind<D: 'static>(
        store: &mut StoreContextMut<'_, D>,
        instance: &Instance,
        names: &[&'static str],
        exports: &[Option<ModuleExport>],
    ) -> Result<Self>;
}

impl ExportList for () {
    fn check(_: &Module, _: &[&'static str], _: &mut Vec<String>) {}

    fn bind<D: 'static>(
        _: &mut StoreContextMut<'_, D>,
        _: &Instance,
        _: &[&'static str],
        _: &[Option<ModuleExport>],
    ) -> Result<()> {
        Ok(())
    }
}

impl<First: Export, Rest: ExportList> ExportList for (First, Rest) {
    fn check(module: &Module, names: &[&'static str], mistakes: &mut Vec<String>) {
        let (name, names) = names.split_first().expect("a name for each field");
        let ty = module.get_export(name);
        if let Err(problem) = First::check(module.engine(), ty.as_ref()) {
            mistakes.push(describe(module, name, ty, problem));
        }
        Rest::check(module, names, mistakes);
    }

    fn bind<D: 'static>(
        store: &mut StoreContextMut<'_, D>,
        instance: &Instance,
        names: &[&'static str],
        exports: &[Option<ModuleExport>],
    ) -> Result<Self> {
        let (name, names) = names.split_first().expect("a name for each field");
        let (export, exports) = exports.split_first().expect("an export or none for each field");
        let export = match export {
            Some(export) => instance.get_module_export(&mut *store, export),
            None => None,
        };
        let first = First::bind(name, store.inner(), export)?;
        Ok((first, Rest::bind(store, instance, names, exports)?))
    }
}

#[cold]
fn describe(module: &Module, name: &str, found: Option<ExternType>, problem: Problem) -> String {
    let found = found.map_or(String::new(), |ty| ty.to_string());
    match problem {
        Problem::Missing { expected } => {
            let hint = linking::nearest(name, module.exports().map(|export| export.name()));
            format!("`{name}`: expected {expected}, found no export of that name{hint}")
        }
        Problem::Kind { expected } => format!("`{name}`: expected {expected}, found {found}"),
        Problem::Type(error) => format!("`{name}`: {error}; the export is {found}"),
    }
}

/// How a struct of exports is made of its fields.
pub trait Collect {
    /// The fields.
    type List: ExportList;
    /// The struct.
    type Output;

    /// What messages call the struct.
    #[doc(hidden)]
    fn name(&self) -> &'static str;

    /// The names of the exports.
    #[doc(hidden)]
    fn names(&self) -> &'static [&'static str];

    /// Makes the struct.
    #[doc(hidden)]
    fn collect(&self, instance: Instance, list: Self::List) -> Self::Output;
}

/// A [`Collect`] by a closure.
pub struct Collector<L, F> {
    name: &'static str,
    names: &'static [&'static str],
    collect: F,
    _list: PhantomData<fn(L)>,
}

/// Makes a [`Collect`] of a closure. There is a name for each field.
pub fn collector<L, O, F: Fn(Instance, L) -> O>(
    name: &'static str,
    names: &'static [&'static str],
    collect: F,
) -> Collector<L, F> {
    Collector { name, names, collect, _list: PhantomData }
}

impl<L: ExportList, O, F: Fn(Instance, L) -> O> Collect for Collector<L, F>
where
    F: Fn(Instance, L) -> O,
{
    type List = L;
    type Output = O;

    fn name(&self) -> &'static str {
        self.name
    }

    fn names(&self) -> &'static [&'static str] {
        self.names
    }

    fn collect(&self, instance: Instance, list: L) -> O {
        (self.collect)(instance, list)
    }
}

impl<L, F> fmt::Debug for Collector<L, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Collector").field("name", &self.name).finish_non_exhaustive()
    }
}

/// The exports that `collect` wants, in its order.
///
/// # Errors
///
/// Names all that do not fit.
fn resolve<C: Collect>(module: &Module, collect: &C) -> Result<Box<[Option<ModuleExport>]>> {
    let mut mistakes = Vec::new();
    C::List::check(module, collect.names(), &mut mistakes);
    if !mistakes.is_empty() {
        return Err(BindError { target: collect.name(), mistakes }.into());
    }
    Ok(collect.names().iter().map(|name| module.get_export_index(name)).collect())
}

/// A guest does not export what a struct of exports declares.
#[derive(Debug)]
struct BindError {
    target: &'static str,
    mistakes: Vec<String>,
}

impl fmt::Display for BindError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the guest does not export what `{}` declares:", self.target)?;
        self.mistakes.iter().try_for_each(|mistake| write!(f, "\n  {mistake}"))
    }
}

impl std::error::Error for BindError {}

/// Finds the exports of `instance`.
///
/// # Errors
///
/// Names all that do not fit.
pub fn bind<C: Collect>(
    mut store: impl AsContextMut,
    instance: &Instance,
    collect: C,
) -> Result<C::Output> {
    let mut store = store.as_context_mut();
    let exports = resolve(&instance.module(&store), &collect)?;
    let list = C::List::bind(&mut store, instance, collect.names(), &exports)?;
    Ok(collect.collect(*instance, list))
}

/// A module whose imports are resolved and whose exports are found.
pub struct ExportsPre<D: 'static> {
    pre: InstancePre<D>,
    exports: Box<[Option<ModuleExport>]>,
}

impl<D: 'static> ExportsPre<D> {
    /// Finds the exports of the module of `pre`.
    ///
    /// # Errors
    ///
    /// Names all that do not fit.
    pub fn new<C: Collect>(pre: InstancePre<D>, collect: C) -> Result<ExportsPre<D>> {
        let exports = resolve(pre.module(), &collect)?;
        Ok(ExportsPre { pre, exports })
    }

    /// Makes an instance.
    ///
    /// # Errors
    ///
    /// As [`InstancePre::instantiate`].
    pub fn instantiate<C: Collect>(
        &self,
        mut store: impl AsContextMut<Data = D>,
        collect: C,
    ) -> Result<C::Output> {
        let mut store = store.as_context_mut();
        let instance = self.pre.instantiate(&mut store)?;
        let list = C::List::bind(&mut store, &instance, collect.names(), &self.exports)?;
        Ok(collect.collect(instance, list))
    }
}

impl<D: 'static> fmt::Debug for ExportsPre<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ExportsPre").field("pre", &self.pre).finish_non_exhaustive()
    }
}

impl<D: 'static> Clone for ExportsPre<D> {
    fn clone(&self) -> ExportsPre<D> {
        ExportsPre { pre: self.pre.clone(), exports: self.exports.clone() }
    }
}

impl<P: Arguments, R: Outcomes> Clone for Function<P, R> {
    fn clone(&self) -> Function<P, R> {
        *self
    }
}

impl<P: Arguments, R: Outcomes> Copy for Function<P, R> {}

impl<P: Arguments, R: Outcomes> Clone for OptionalFunction<P, R> {
    fn clone(&self) -> OptionalFunction<P, R> {
        *self
    }
}

impl<P: Arguments, R: Outcomes> Copy for OptionalFunction<P, R> {}

impl<P: Arguments, R: Outcomes> fmt::Debug for Function<P, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Function").field(&self.name).finish()
    }
}

impl<P: Arguments, R: Outcomes> fmt::Debug for OptionalFunction<P, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("OptionalFunction").field(&self.0).finish()
    }
}
