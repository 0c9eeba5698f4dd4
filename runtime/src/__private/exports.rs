//! Finding the exports of a guest. Looks at all of them before it reports, in one error, what does
//! not fit, with what was found instead.

use std::fmt;
use std::marker::PhantomData;

use super::export_types::{Arguments, Outcomes};
use super::param::{Never, kind};
use crate::api::convert::LoadError;
use crate::api::engine::Engine;
use crate::api::externs::Extern;
use crate::api::func::Func;
use crate::api::func::enter::{ErasedEntry, TypedEntry};
use crate::api::func::typed::{self, TypedFunc};
use crate::api::global::Global;
use crate::api::instance::Instance;
use crate::api::linker::InstancePre;
use crate::api::linking;
use crate::api::memory::Memory;
use crate::api::module::{Module, ModuleExport};
use crate::api::shared_memory::SharedMemory;
use crate::api::store::{AsContextMut, StoreContextMut};
use crate::api::table::Table;
use crate::api::tag::Tag;
use crate::api::types::ExternType;
use crate::error::{Error, Result};
use crate::instance::store::StoreInner;

/// An exported function that was found and has the right type. It is called with values `V`, a tuple,
/// and returns an `R`.
pub struct Function<V, R> {
    name: &'static str,
    entry: ErasedEntry,
    _types: PhantomData<fn(V) -> R>,
}

impl<V, R> Function<V, R> {
    /// Calls it.
    ///
    /// # Errors
    ///
    /// As [`TypedFunc::call`](crate::TypedFunc::call).
    #[inline]
    pub fn call<A, O>(
        &self,
        mut store: impl AsContextMut,
        _arguments: A,
        _outcome: O,
        values: V,
    ) -> Result<R>
    where
        A: Arguments<Values = V>,
        O: Outcomes<Value = R>,
    {
        let mut store = store.as_context_mut();
        let values = A::prepare(values, store.inner_mut())?;
        let func = TypedFunc::from_entry(self.entry.typed::<A::Wasm, O::Wasm>());
        match func.call(store, values) {
            Ok(result) => Ok(O::finish(result)),
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
pub struct OptionalFunction<V, R>(Option<Function<V, R>>);

impl<V, R> OptionalFunction<V, R> {
    /// Calls it if it exists.
    ///
    /// # Errors
    ///
    /// As [`TypedFunc::call`](crate::TypedFunc::call).
    #[inline]
    pub fn call<A, O>(
        &self,
        store: impl AsContextMut,
        arguments: A,
        outcome: O,
        values: V,
    ) -> Result<Option<R>>
    where
        A: Arguments<Values = V>,
        O: Outcomes<Value = R>,
    {
        let Some(function) = &self.0 else { return Ok(None) };
        function.call(store, arguments, outcome, values).map(Some)
    }

    /// Whether it exists.
    pub fn exists(&self) -> bool {
        self.0.is_some()
    }
}

/// A type that a field of `#[wasm_exports]` may have besides functions.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not something that a guest exports",
    label = "not an export",
    note = "a field is a function, `fn(a: A) -> R` or `Option<fn(a: A) -> R>`, or one of `Memory`, \
            `SharedMemory`, `Table`, `Global`, `Tag`, `Func` and `Option`s of them"
)]
pub trait ExportItem<Kind> {
    /// What a struct of exports asks for.
    type Marker: Export<Field = Self> + Default;
}

#[diagnostic::do_not_recommend]
impl<T: Handle> ExportItem<kind::Handle> for T {
    type Marker = ItemSpec<T>;
}

// See `kind::Never`.
#[diagnostic::do_not_recommend]
impl<T: Handle + Never> ExportItem<kind::Never> for T {
    type Marker = ItemSpec<T>;
}

/// A handle of something exported.
pub trait Handle: Sized {
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
    ($($handle:ident $kind:literal $convert:ident $is_kind:expr;)*) => {$(
        impl Handle for $handle {
            const KIND: &'static str = $kind;

            fn from_export(export: Extern) -> Option<$handle> {
                export.$convert()
            }

            fn is_kind(ty: &ExternType) -> bool {
                let is_kind: fn(&ExternType) -> bool = $is_kind;
                is_kind(ty)
            }
        }
    )*};
}

items! {
    Func "a function" into_func |ty| matches!(ty, ExternType::Func(_));
    Memory "a memory" into_memory |ty| memory_is_shared(ty) == Some(false);
    SharedMemory "a shared memory" into_shared_memory |ty| memory_is_shared(ty) == Some(true);
    Table "a table" into_table |ty| matches!(ty, ExternType::Table(_));
    Global "a global" into_global |ty| matches!(ty, ExternType::Global(_));
    Tag "a tag" into_tag |ty| matches!(ty, ExternType::Tag(_));
}

/// Whether threads share it, if it is a memory.
fn memory_is_shared(ty: &ExternType) -> Option<bool> {
    match ty {
        ExternType::Memory(ty) => Some(ty.is_shared()),
        _ => None,
    }
}

impl<T: Handle> Handle for Option<T> {
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

/// What a struct of exports asks for: one export.
pub trait Export {
    /// The field for it.
    type Field;

    /// Whether an export of type `ty` fits; `None` stands for no export.
    #[doc(hidden)]
    fn check(engine: &Engine, ty: Option<&ExternType>) -> Result<(), Problem>;

    /// The field for an export of which [`Export::check`] found that it fits.
    #[doc(hidden)]
    fn bind(name: &'static str, store: &StoreInner, export: Option<Extern>) -> Result<Self::Field>;
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

/// Asks for a function.
pub struct FunctionSpec<A, O>(PhantomData<fn(A) -> O>);

/// Asks for a function that may be absent.
pub struct OptionalFunctionSpec<A, O>(PhantomData<fn(A) -> O>);

/// Asks for something else.
pub struct ItemSpec<T>(PhantomData<fn() -> T>);

/// Asks for a function.
pub fn function<A: Arguments, O: Outcomes>(_arguments: A, _outcome: O) -> FunctionSpec<A, O> {
    FunctionSpec(PhantomData)
}

/// Asks for a function that may be absent.
pub fn optional_function<A: Arguments, O: Outcomes>(
    _arguments: A,
    _outcome: O,
) -> OptionalFunctionSpec<A, O> {
    OptionalFunctionSpec(PhantomData)
}

impl<T> Default for ItemSpec<T> {
    fn default() -> ItemSpec<T> {
        ItemSpec(PhantomData)
    }
}

impl<A: Arguments, O: Outcomes> Export for FunctionSpec<A, O> {
    type Field = Function<A::Values, O::Value>;

    fn check(engine: &Engine, ty: Option<&ExternType>) -> Result<(), Problem> {
        match ty {
            Some(ExternType::Func(ty)) => {
                let fits = typed::check::<A::Wasm, O::Wasm>(engine, &ty.info().ty);
                fits.map(drop).map_err(Problem::Type)
            }
            Some(_) => Err(Problem::Kind { expected: FUNCTION }),
            None => Err(Problem::Missing { expected: FUNCTION }),
        }
    }

    fn bind(name: &'static str, store: &StoreInner, export: Option<Extern>) -> Result<Self::Field> {
        let func = export.and_then(Extern::into_func).ok_or_else(vanished)?;
        let entry = TypedEntry::<A::Wasm, O::Wasm>::new(func, store)?.erase();
        Ok(Function { name, entry, _types: PhantomData })
    }
}

impl<A: Arguments, O: Outcomes> Export for OptionalFunctionSpec<A, O> {
    type Field = OptionalFunction<A::Values, O::Value>;

    fn check(engine: &Engine, ty: Option<&ExternType>) -> Result<(), Problem> {
        match ty {
            None => Ok(()),
            found => FunctionSpec::<A, O>::check(engine, found),
        }
    }

    fn bind(name: &'static str, store: &StoreInner, export: Option<Extern>) -> Result<Self::Field> {
        let function = export.map(|export| FunctionSpec::<A, O>::bind(name, store, Some(export)));
        Ok(OptionalFunction(function.transpose()?))
    }
}

impl<T: Handle> Export for ItemSpec<T> {
    type Field = T;

    fn check(_: &Engine, ty: Option<&ExternType>) -> Result<(), Problem> {
        match ty {
            Some(ty) if T::is_kind(ty) => Ok(()),
            Some(_) => Err(Problem::Kind { expected: T::KIND }),
            None if T::OPTIONAL => Ok(()),
            None => Err(Problem::Missing { expected: T::KIND }),
        }
    }

    fn bind(_: &'static str, _: &StoreInner, export: Option<Extern>) -> Result<T> {
        let item = match export {
            Some(export) => T::from_export(export),
            None => T::absent(),
        };
        item.ok_or_else(vanished)
    }
}

#[cold]
fn vanished() -> Error {
    Error::msg("the instance is of another module than the one whose exports were checked")
}

/// What a struct of exports asks for: `(first, (second, .. ()))`.
pub trait ExportList {
    /// The fields for it.
    type Fields;

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
    ) -> Result<Self::Fields>;
}

impl ExportList for () {
    type Fields = ();

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
    type Fields = (First::Field, Rest::Fields);

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
    ) -> Result<Self::Fields> {
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
    /// What it asks for.
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
    fn collect(
        &self,
        instance: Instance,
        fields: <Self::List as ExportList>::Fields,
    ) -> Self::Output;
}

/// A [`Collect`] by a closure.
pub struct Collector<L, F> {
    name: &'static str,
    names: &'static [&'static str],
    collect: F,
    _list: PhantomData<fn(L)>,
}

/// Makes a [`Collect`] of a closure. There is a name for each export in `list`.
pub fn collector<L: ExportList, O, F: Fn(Instance, L::Fields) -> O>(
    name: &'static str,
    names: &'static [&'static str],
    _list: L,
    collect: F,
) -> Collector<L, F> {
    Collector { name, names, collect, _list: PhantomData }
}

impl<L: ExportList, O, F: Fn(Instance, L::Fields) -> O> Collect for Collector<L, F> {
    type List = L;
    type Output = O;

    fn name(&self) -> &'static str {
        self.name
    }

    fn names(&self) -> &'static [&'static str] {
        self.names
    }

    fn collect(&self, instance: Instance, fields: L::Fields) -> O {
        (self.collect)(instance, fields)
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

impl<V, R> Clone for Function<V, R> {
    fn clone(&self) -> Function<V, R> {
        *self
    }
}

impl<V, R> Copy for Function<V, R> {}

impl<V, R> Clone for OptionalFunction<V, R> {
    fn clone(&self) -> OptionalFunction<V, R> {
        *self
    }
}

impl<V, R> Copy for OptionalFunction<V, R> {}

impl<V, R> fmt::Debug for Function<V, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Function").field(&self.name).finish()
    }
}

impl<V, R> fmt::Debug for OptionalFunction<V, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("OptionalFunction").field(&self.0).finish()
    }
}

macro_rules! debug_specs {
    ($($name:ident<$($param:ident),*>;)*) => {$(
        impl<$($param),*> fmt::Debug for $name<$($param),*> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(stringify!($name))
            }
        }
    )*};
}

debug_specs! {
    FunctionSpec<A, O>;
    OptionalFunctionSpec<A, O>;
    ItemSpec<T>;
}
