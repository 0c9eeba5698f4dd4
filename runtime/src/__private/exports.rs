//! Finding the exports of a guest. Looks at all of them before it reports, in one error, what does
//! not fit, with what was found instead.

use std::fmt;
use std::marker::PhantomData;

use super::export_types::{Arguments, Outcomes};
use super::spans;
use crate::api::convert::{LoadError, WasmTy};
use crate::api::engine::Engine;
use crate::api::externs::Extern;
use crate::api::func::enter::{CheckedType, ErasedEntry, TypedEntry};
use crate::api::func::typed::{TypedFunc, WasmParams, WasmResults};
use crate::api::instance::Instance;
use crate::api::linker::InstancePre;
use crate::api::linking;
use crate::api::module::{Module, ModuleExport};
use crate::api::store::{AsContextMut, StoreContextMut};
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
        let _span = spans::export(self.name);
        let mut store = store.as_context_mut();
        let values = A::prepare(values, store.inner_mut())?;
        let func = TypedFunc::from_entry(self.entry.typed::<A::Wasm, O::Wasm>());
        match func.call(store, values) {
            Ok(result) => Ok(O::finish(result)),
            Err(error) => Err(in_export(error, self.name)),
        }
    }
}

impl<P: WasmTy, R: WasmTy> Function<(P,), R> {
    /// Calls it with a value that travels by itself.
    pub(super) fn call_plainly(&self, store: impl AsContextMut, values: (P,)) -> Result<R> {
        TypedFunc::from_entry(self.entry.typed::<(P,), R>()).call(store, values)
    }

    /// The name of the export.
    pub(super) fn name(&self) -> &'static str {
        self.name
    }
}

/// Says which export returned a value that does not fit.
#[cold]
pub(super) fn in_export(error: Error, name: &str) -> Error {
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

/// What a struct of exports asks for: one export.
pub trait Export {
    /// The field for it.
    type Field;

    /// Whether an export of type `ty` fits; `None` stands for no export. What was found out about the
    /// type of a function is for [`Export::bind`].
    #[doc(hidden)]
    fn check(engine: &Engine, ty: Option<&ExternType>) -> Result<Option<CheckedType>, Problem>;

    /// The field for an export of which [`Export::check`] found that it fits.
    #[doc(hidden)]
    fn bind(
        name: &'static str,
        store: &StoreInner,
        export: Option<Extern>,
        checked: Option<&CheckedType>,
    ) -> Result<Self::Field>;
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

/// Whether an export is a function with these types.
pub(super) fn check_function<Params: WasmParams, Results: WasmResults>(
    engine: &Engine,
    ty: Option<&ExternType>,
) -> Result<Option<CheckedType>, Problem> {
    match ty {
        Some(ExternType::Func(ty)) => {
            let checked = CheckedType::new::<Params, Results>(engine, ty.info());
            checked.map(Some).map_err(Problem::Type)
        }
        Some(_) => Err(Problem::Kind { expected: FUNCTION }),
        None => Err(Problem::Missing { expected: FUNCTION }),
    }
}

/// The way into an export that is a function with these types.
pub(super) fn enter_function<Params: WasmParams, Results: WasmResults>(
    store: &StoreInner,
    export: Option<Extern>,
    checked: Option<&CheckedType>,
) -> Result<ErasedEntry> {
    let func = export.and_then(Extern::into_func).ok_or_else(vanished)?;
    let known = checked.map(|checked| checked.entry(func, store)).transpose()?.flatten();
    match known {
        Some(entry) => Ok(entry),
        None => Ok(TypedEntry::<Params, Results>::new(func, store)?.erase()),
    }
}

impl<A: Arguments, O: Outcomes> Export for FunctionSpec<A, O> {
    type Field = Function<A::Values, O::Value>;

    fn check(engine: &Engine, ty: Option<&ExternType>) -> Result<Option<CheckedType>, Problem> {
        check_function::<A::Wasm, O::Wasm>(engine, ty)
    }

    fn bind(
        name: &'static str,
        store: &StoreInner,
        export: Option<Extern>,
        checked: Option<&CheckedType>,
    ) -> Result<Self::Field> {
        let entry = enter_function::<A::Wasm, O::Wasm>(store, export, checked)?;
        Ok(Function { name, entry, _types: PhantomData })
    }
}

impl<A: Arguments, O: Outcomes> Export for OptionalFunctionSpec<A, O> {
    type Field = OptionalFunction<A::Values, O::Value>;

    fn check(engine: &Engine, ty: Option<&ExternType>) -> Result<Option<CheckedType>, Problem> {
        match ty {
            None => Ok(None),
            found => FunctionSpec::<A, O>::check(engine, found),
        }
    }

    fn bind(
        name: &'static str,
        store: &StoreInner,
        export: Option<Extern>,
        checked: Option<&CheckedType>,
    ) -> Result<Self::Field> {
        let bind = |export| FunctionSpec::<A, O>::bind(name, store, Some(export), checked);
        let function = export.map(bind);
        Ok(OptionalFunction(function.transpose()?))
    }
}

#[cold]
pub(super) fn vanished() -> Error {
    Error::msg("the instance is of another module than the one whose exports were checked")
}

/// What a struct of exports asks for: `(first, (second, .. ()))`.
pub trait ExportList {
    /// The fields for it.
    type Fields;

    /// Finds the exports called `names`, adding to `found` or to `mistakes`.
    #[doc(hidden)]
    fn check(
        module: &Module,
        names: &[&'static str],
        found: &mut Vec<Resolved>,
        mistakes: &mut Vec<String>,
    );

    /// The fields.
    #[doc(hidden)]
    fn bind<D: 'static>(
        store: &mut StoreContextMut<'_, D>,
        instance: &Instance,
        names: &[&'static str],
        exports: &[Resolved],
    ) -> Result<Self::Fields>;
}

impl ExportList for () {
    type Fields = ();

    fn check(_: &Module, _: &[&'static str], _: &mut Vec<Resolved>, _: &mut Vec<String>) {}

    fn bind<D: 'static>(
        _: &mut StoreContextMut<'_, D>,
        _: &Instance,
        _: &[&'static str],
        _: &[Resolved],
    ) -> Result<()> {
        Ok(())
    }
}

impl<First: Export, Rest: ExportList> ExportList for (First, Rest) {
    type Fields = (First::Field, Rest::Fields);

    fn check(
        module: &Module,
        names: &[&'static str],
        found: &mut Vec<Resolved>,
        mistakes: &mut Vec<String>,
    ) {
        let (name, names) = names.split_first().expect("a name for each field");
        let ty = module.get_export(name);
        match First::check(module.engine(), ty.as_ref()) {
            Ok(checked) => {
                found.push(Resolved { export: module.get_export_index(name), checked });
            }
            Err(problem) => mistakes.push(describe(module, name, ty, problem)),
        }
        Rest::check(module, names, found, mistakes);
    }

    fn bind<D: 'static>(
        store: &mut StoreContextMut<'_, D>,
        instance: &Instance,
        names: &[&'static str],
        exports: &[Resolved],
    ) -> Result<Self::Fields> {
        let (name, names) = names.split_first().expect("a name for each field");
        let (export, exports) = exports.split_first().expect("an export or none for each field");
        let Resolved { export, checked } = export;
        let export = match export {
            Some(export) => instance.get_module_export(&mut *store, export),
            None => None,
        };
        let first = First::bind(name, store.inner(), export, checked.as_ref())?;
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
fn resolve<C: Collect>(module: &Module, collect: &C) -> Result<Box<[Resolved]>> {
    let (mut found, mut mistakes) = (Vec::new(), Vec::new());
    C::List::check(module, collect.names(), &mut found, &mut mistakes);
    if !mistakes.is_empty() {
        return Err(BindError { target: collect.name(), mistakes }.into());
    }
    Ok(found.into())
}

/// An export that fits, or one that may be absent and is.
#[doc(hidden)]
#[derive(Clone, Debug)]
pub struct Resolved {
    export: Option<ModuleExport>,
    /// What was found out about the type of a function.
    checked: Option<CheckedType>,
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
    exports: Box<[Resolved]>,
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
}
