//! `TypedFunc`: a function whose type has been checked against Rust types, and the traits that say
//! how those travel.

use std::fmt;

use anyhow::bail;

use super::Func;
use super::arity::{any_values, several_values};
use super::enter::{AbiArgs, TypedEntry};
use super::shim::AbiResults;
use crate::api::convert::{LoadError, WasmBasic, WasmTy, load};
use crate::api::signature::names::TypeNames;
use crate::api::store::AsContextMut;
use crate::api::types::ValType;
use crate::error::Result;
use crate::instance::engine::Engine;
use crate::instance::store::StoreInner;
use crate::wasm::types as wasm;

/// A function with parameters `Params` and results `Results`, both a single
/// [`WasmTy`] or a tuple of up to 16.
///
/// ```
/// use hostref::{Engine, Instance, Module, Result, Store};
///
/// # fn main() -> Result<()> {
/// let engine = Engine::default();
/// let module = Module::new(&engine, r#"
///     (module (func (export "div_rem") (param i32 i32) (result i32 i32)
///         (i32.div_s (local.get 0) (local.get 1))
///         (i32.rem_s (local.get 0) (local.get 1))))
/// "#)?;
/// let mut store = Store::new(&engine, ());
/// let instance = Instance::new(&mut store, &module, &[])?;
/// let div_rem = instance.get_typed_func::<(i32, i32), (i32, i32)>(&mut store, "div_rem")?;
/// assert_eq!(div_rem.call(&mut store, (17, 5))?, (3, 2));
/// # Ok(())
/// # }
/// ```
pub struct TypedFunc<Params, Results> {
    entry: TypedEntry<Params, Results>,
}

/// Rust types that stand for the parameters of a function: a [`WasmTy`] or a tuple of them.
pub trait WasmParams: Send + 'static {
    /// How they travel.
    #[doc(hidden)]
    type Args: AbiArgs;

    #[doc(hidden)]
    fn val_types(engine: &Engine) -> Vec<ValType>;

    /// The arguments as they go into Wasm; the shared borrow excludes a collection.
    #[doc(hidden)]
    fn lower_params(self, store: &StoreInner) -> Result<Self::Args>;
}

/// Rust types that stand for the results of a function: a [`WasmTy`] or a tuple of them.
pub trait WasmResults: WasmParams {
    /// How they travel.
    #[doc(hidden)]
    type Abi: AbiResults;

    /// Their types, for traits to compare.
    #[doc(hidden)]
    type Types: TypeNames;

    /// Whether loading them needs a root scope.
    #[doc(hidden)]
    const RESULT_ROOTS: bool;

    /// The results that came out of Wasm, with the position of the one that is not as expected.
    #[doc(hidden)]
    fn load_results(store: &mut StoreInner, abi: Self::Abi) -> Result<Self, (usize, LoadError)>
    where
        Self: Sized;

    /// The results as they go into Wasm.
    #[doc(hidden)]
    fn lower_results(self, store: &StoreInner) -> Result<Self::Abi>;
}

impl<Params: WasmParams, Results: WasmResults> TypedFunc<Params, Results> {
    pub(crate) fn new(func: Func, store: &StoreInner) -> Result<TypedFunc<Params, Results>> {
        Ok(TypedFunc { entry: TypedEntry::new(func, store)? })
    }

    pub(crate) fn from_entry(entry: TypedEntry<Params, Results>) -> TypedFunc<Params, Results> {
        TypedFunc { entry }
    }

    /// Calls the function.
    ///
    /// References in `Results` are rooted in the current root scope.
    ///
    /// # Errors
    ///
    /// If the guest is stopped: the trap or the host function's error, with a
    /// [`WasmBacktrace`](crate::WasmBacktrace) as context. If a result is not of its Rust type. If
    /// the function or a reference among `params` belongs to another store or is no longer rooted.
    ///
    /// # Panics
    ///
    /// Resumes the panic of a host function.
    #[inline]
    pub fn call(&self, mut store: impl AsContextMut, params: Params) -> Result<Results> {
        let shell = store.as_context_mut().0;
        let results = self.entry.call(shell, params)?;
        Results::load_results(&mut shell.inner, results)
            .map_err(|(index, error)| mismatch(index, error))
    }

    /// The function without its static type.
    pub fn func(&self) -> &Func {
        self.entry.func()
    }
}

#[cold]
fn mismatch(index: usize, error: LoadError) -> crate::Error {
    crate::Error::from(error).context(format!("result {index} of a typed call"))
}

/// Which arguments of a typed call are checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ArgumentChecks {
    /// None: every value of the Rust types is one of the Wasm types.
    Never,
    /// References, at each call: the Rust types have null or functions of any type, and the Wasm
    /// types have not.
    EachCall,
}

/// Whether the Rust types fit the function type `ty`. A Rust reference type may have more values
/// than the parameter's Wasm type: then arguments are checked.
pub(crate) fn check<Params: WasmParams, Results: WasmResults>(
    engine: &Engine,
    ty: &wasm::FuncType,
) -> Result<ArgumentChecks> {
    let mut checks = ArgumentChecks::Never;
    // The lock is not kept: naming a type takes it again.
    compare(engine, "parameter", &Params::val_types(engine), &ty.params, |rust, wasm| {
        let types = engine.shared().types();
        if types.val_matches(rust, wasm) {
            return true;
        }
        checks = ArgumentChecks::EachCall;
        types.fits_but_null(rust, wasm) || types.fits_but_null(wasm, rust)
    })?;
    compare(engine, "result", &Results::val_types(engine), &ty.results, |rust, wasm| {
        engine.shared().types().fits_but_null(wasm, rust)
    })?;
    Ok(checks)
}

fn compare(
    engine: &Engine,
    what: &str,
    rust: &[ValType],
    wasm: &[wasm::ValType],
    mut fits: impl FnMut(wasm::ValType, wasm::ValType) -> bool,
) -> Result<()> {
    if rust.len() != wasm.len() {
        bail!("expected {} {what}s, found {}", rust.len(), wasm.len());
    }
    for (index, (rust, wasm)) in rust.iter().zip(wasm).enumerate() {
        if !fits(rust.to_wasm(), *wasm) {
            let found = ValType::from_wasm(engine, *wasm);
            bail!("{what} {index}: expected {rust}, found {found}");
        }
    }
    Ok(())
}

impl<V: WasmTy> WasmParams for V {
    type Args = (<V::Wasm as WasmBasic>::Abi,);

    fn val_types(engine: &Engine) -> Vec<ValType> {
        vec![V::Wasm::wasm_type(engine)]
    }

    #[inline]
    fn lower_params(self, store: &StoreInner) -> Result<Self::Args> {
        Ok((self.into_wasm().lower(store)?,))
    }
}

impl<V: WasmTy> WasmResults for V {
    type Abi = <V::Wasm as WasmBasic>::Abi;
    type Types = (<V::Wasm as WasmBasic>::Type,);
    const RESULT_ROOTS: bool = V::Wasm::ROOTS;

    #[inline]
    fn load_results(store: &mut StoreInner, abi: Self::Abi) -> Result<V, (usize, LoadError)> {
        load(store, abi).map_err(|error| (0, error))
    }

    #[inline]
    fn lower_results(self, store: &StoreInner) -> Result<Self::Abi> {
        self.into_wasm().lower(store)
    }
}

macro_rules! param_tuples {
    ($($($name:ident $index:tt)*;)*) => {$(
        #[allow(non_snake_case, unused_variables, reason = "values are named by their types")]
        impl<$($name: WasmTy),*> WasmParams for ($($name,)*) {
            type Args = ($(<$name::Wasm as WasmBasic>::Abi,)*);

            fn val_types(engine: &Engine) -> Vec<ValType> {
                vec![$($name::Wasm::wasm_type(engine)),*]
            }

            #[inline]
            #[allow(clippy::unused_unit, reason = "the empty tuple of arguments")]
            fn lower_params(self, store: &StoreInner) -> Result<Self::Args> {
                let ($($name,)*) = self;
                Ok(($($name.into_wasm().lower(store)?,)*))
            }
        }
    )*};
}

any_values!(param_tuples);

impl WasmResults for () {
    type Abi = ();
    type Types = ();
    const RESULT_ROOTS: bool = false;

    #[inline]
    fn load_results(_: &mut StoreInner, (): ()) -> Result<(), (usize, LoadError)> {
        Ok(())
    }

    #[inline]
    fn lower_results(self, _: &StoreInner) -> Result<()> {
        Ok(())
    }
}

impl<V: WasmTy> WasmResults for (V,) {
    type Abi = <V::Wasm as WasmBasic>::Abi;
    type Types = (<V::Wasm as WasmBasic>::Type,);
    const RESULT_ROOTS: bool = V::Wasm::ROOTS;

    #[inline]
    fn load_results(store: &mut StoreInner, abi: Self::Abi) -> Result<(V,), (usize, LoadError)> {
        V::load_results(store, abi).map(|value| (value,))
    }

    #[inline]
    fn lower_results(self, store: &StoreInner) -> Result<Self::Abi> {
        self.0.lower_results(store)
    }
}

macro_rules! result_tuples {
    ($($($name:ident $index:tt)*;)*) => {$(
        impl<$($name: WasmTy),*> WasmResults for ($($name,)*) {
            type Abi = ($(<$name::Wasm as WasmBasic>::Abi,)*);
            type Types = ($(<$name::Wasm as WasmBasic>::Type,)*);
            const RESULT_ROOTS: bool = false $(|| $name::Wasm::ROOTS)*;

            fn load_results(store: &mut StoreInner, abi: Self::Abi) -> Result<Self, (usize, LoadError)> {
                // Rooting collects nothing, so the later references stay good while the earlier
                // ones are rooted.
                Ok(($(load::<$name>(store, abi.$index).map_err(|error| ($index, error))?,)*))
            }

            fn lower_results(self, store: &StoreInner) -> Result<Self::Abi> {
                Ok(($(self.$index.into_wasm().lower(store)?,)*))
            }
        }
    )*};
}

several_values!(result_tuples);

impl<Params, Results> Clone for TypedFunc<Params, Results> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<Params, Results> Copy for TypedFunc<Params, Results> {}

impl<Params, Results> fmt::Debug for TypedFunc<Params, Results> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TypedFunc").finish_non_exhaustive()
    }
}

/// The value of one ABI slot, which `HostFn`s of plain closures take per parameter.
pub(crate) type Slot<V> = <<V as WasmTy>::Wasm as WasmBasic>::Abi;
