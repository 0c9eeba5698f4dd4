//! Rust closures as host functions: [`IntoFunc`] for those with static types, and those over
//! dynamically typed values.

use std::borrow::Cow;
use std::marker::PhantomData;
use std::sync::Arc;

use anyhow::{Context as _, bail};
use smallvec::SmallVec;

use super::arity::any_values;
use super::shim::{self, HostFn, HostSignature};
use super::typed::{Slot, WasmResults};
use crate::api::caller::Caller;
use crate::api::convert::{LoadError, WasmBasic, WasmTy, load};
use crate::api::engine::Engine;
use crate::api::types::FuncType;
use crate::api::value::{Ref, Val};
use crate::error::Result;
use crate::instance::definition::RawRef;
use crate::instance::host_func::HostFunc;
use crate::vm::value::ValRaw;
use crate::wasm::types::{self as wasm, RefType};

/// What a closure may return as a host function: a [`WasmTy`], a tuple of them, `()`, or a
/// [`hostref::Result`](crate::Result) of these.
///
/// The error is always [`hostref::Error`](crate::Error), so that a closure which uses `?` and ends in
/// `Ok(())` needs no annotation:
///
/// ```
/// use hostref::{Engine, Func, Instance, Module, Result, Store};
///
/// # fn main() -> Result<()> {
/// let mut store = Store::<()>::default();
/// let sqrt = Func::wrap(&mut store, |area: i64| {
///     let area = u32::try_from(area)?;
///     Ok(f64::from(area).sqrt())
/// });
/// let sqrt = sqrt.typed::<i64, f64>(&store)?;
/// assert_eq!(sqrt.call(&mut store, 9)?, 3.0);
/// let error = sqrt.call(&mut store, -9).unwrap_err();
/// assert!(error.is::<std::num::TryFromIntError>());
/// # Ok(())
/// # }
/// ```
///
/// Functions of a [`host_module`](crate::host_module) may have errors of any type that converts to it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be returned to a Wasm guest",
    note = "return a value that implements `WasmTy`, a tuple of them, or a `hostref::Result` of \
            these, to which `?` converts other errors; to hand out an object, return \
            `Rooted<ExternRef<T>>`"
)]
pub trait WasmRet {
    /// The results in the case of success.
    #[doc(hidden)]
    type Ok: WasmResults;

    #[doc(hidden)]
    fn into_result(self) -> Result<Self::Ok>;
}

impl<R: WasmResults> WasmRet for R {
    type Ok = R;

    #[inline]
    fn into_result(self) -> Result<R> {
        Ok(self)
    }
}

impl<R: WasmResults> WasmRet for Result<R> {
    type Ok = R;

    #[inline]
    fn into_result(self) -> Result<R> {
        self
    }
}

/// A Rust closure that can be a host function: up to 16 [`WasmTy`] parameters, with an optional
/// [`Caller`] first, and a result that is a [`WasmRet`].
///
/// `Params` and `Results` are inferred.
#[diagnostic::on_unimplemented(
    message = "this cannot be a host function of a store with data `{T}`",
    label = "not a function whose parameters and result have Wasm types",
    note = "write the types of all parameters; each implements `WasmTy`, and a `Caller<'_, {T}>` \
            may come first",
    note = "it returns nothing, a value that implements `WasmTy`, a tuple of them, or a \
            `hostref::Result` of these, to which `?` converts other errors"
)]
pub trait IntoFunc<T: 'static, Params, Results>: Send + Sync + 'static {
    #[doc(hidden)]
    fn into_host_func(self, engine: &Engine, name: &str) -> HostFuncDef;
}

/// A host function's definition.
#[doc(hidden)]
#[derive(Clone)]
pub struct HostFuncDef(pub(crate) Arc<HostFunc>);

impl std::fmt::Debug for HostFuncDef {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("HostFuncDef").field(&self.0.name).finish()
    }
}

/// The kind of closures without a `Caller`.
#[doc(hidden)]
#[derive(Debug)]
pub struct Plain;

/// The kind of closures with a `Caller`.
#[doc(hidden)]
#[derive(Debug)]
pub struct WithCaller;

/// A closure with its types.
struct Closure<F, Kind, Params, Ret> {
    func: F,
    /// What error messages call it.
    name: Box<str>,
    _types: PhantomData<fn(Kind, Params) -> Ret>,
}

#[cold]
fn bad_param(name: &str, index: usize, error: LoadError) -> crate::Error {
    crate::Error::from(error).context(format!("parameter {index} of {name}"))
}

macro_rules! closures {
    ($($($name:ident $index:literal)*;)*) => {$(
        #[allow(non_snake_case, unused_variables, reason = "values are named by their types")]
        impl<Data: 'static, Fun, Ret, $($name: WasmTy),*> HostFn<Data>
            for Closure<Fun, Plain, ($($name,)*), Ret>
        where
            Fun: Fn($($name),*) -> Ret + Send + Sync + 'static,
            Ret: WasmRet + 'static,
        {
            type Params = ($((Slot<$name>, ()),)*);
            type Results = <Ret::Ok as WasmResults>::Abi;
            const SCOPE: bool = <Ret::Ok as WasmResults>::RESULT_ROOTS $(|| $name::Wasm::ROOTS)*;

            fn signature(&self, engine: &Engine) -> HostSignature {
                HostSignature {
                    params: vec![$($name::Wasm::wasm_type(engine)),*],
                    results: <Ret::Ok as super::typed::WasmParams>::val_types(engine),
                }
            }

            #[inline]
            fn call(&self, caller: &mut Caller<'_, Data>, params: Self::Params) -> Result<Self::Results> {
                let ($(($name, ()),)*) = params;
                $(let $name = load::<$name>(caller.inner_mut(), $name)
                    .map_err(|error| bad_param(&self.name, $index, error))?;)*
                let results = (self.func)($($name),*).into_result()?;
                lower(caller, <Self as HostFn<Data>>::SCOPE, results)
            }
        }

        #[allow(non_snake_case, unused_variables, reason = "values are named by their types")]
        impl<Data: 'static, Fun, Ret, $($name: WasmTy),*> HostFn<Data>
            for Closure<Fun, WithCaller, ($($name,)*), Ret>
        where
            Fun: Fn(Caller<'_, Data>, $($name),*) -> Ret + Send + Sync + 'static,
            Ret: WasmRet + 'static,
        {
            type Params = ($((Slot<$name>, ()),)*);
            type Results = <Ret::Ok as WasmResults>::Abi;
            const SCOPE: bool = true;

            fn signature(&self, engine: &Engine) -> HostSignature {
                HostSignature {
                    params: vec![$($name::Wasm::wasm_type(engine)),*],
                    results: <Ret::Ok as super::typed::WasmParams>::val_types(engine),
                }
            }

            #[inline]
            fn call(&self, caller: &mut Caller<'_, Data>, params: Self::Params) -> Result<Self::Results> {
                let ($(($name, ()),)*) = params;
                $(let $name = load::<$name>(caller.inner_mut(), $name)
                    .map_err(|error| bad_param(&self.name, $index, error))?;)*
                let results = (self.func)(caller.reborrow(), $($name),*).into_result()?;
                lower(caller, true, results)
            }
        }

        impl<Data: 'static, Fun, Ret, $($name: WasmTy),*> IntoFunc<Data, (Plain, $($name),*), Ret> for Fun
        where
            Fun: Fn($($name),*) -> Ret + Send + Sync + 'static,
            Ret: WasmRet + 'static,
        {
            fn into_host_func(self, engine: &Engine, name: &str) -> HostFuncDef {
                let closure: Closure<Fun, Plain, ($($name,)*), Ret> =
                    Closure { func: self, name: name.into(), _types: PhantomData };
                HostFuncDef(shim::define::<Data, _>(engine, name, closure))
            }
        }

        impl<Data: 'static, Fun, Ret, $($name: WasmTy),*> IntoFunc<Data, (WithCaller, $($name),*), Ret> for Fun
        where
            Fun: Fn(Caller<'_, Data>, $($name),*) -> Ret + Send + Sync + 'static,
            Ret: WasmRet + 'static,
        {
            fn into_host_func(self, engine: &Engine, name: &str) -> HostFuncDef {
                let closure: Closure<Fun, WithCaller, ($($name,)*), Ret> =
                    Closure { func: self, name: name.into(), _types: PhantomData };
                HostFuncDef(shim::define::<Data, _>(engine, name, closure))
            }
        }
    )*};
}

any_values!(closures);

/// Lowers the results of a host function. With a root scope the function may have made references,
/// so a collection may be due: it runs while the results are still rooted.
#[inline]
fn lower<D: 'static, R: WasmResults>(
    caller: &mut Caller<'_, D>,
    scope: bool,
    results: R,
) -> Result<R::Abi> {
    if scope {
        caller.inner_mut().safepoint();
    }
    results.lower_results(caller.inner())
}

/// A host function of type `ty` over dynamically typed values.
pub(crate) fn dynamic<D: 'static>(
    ty: &FuncType,
    name: impl Into<Cow<'static, str>>,
    func: impl Fn(Caller<'_, D>, &[Val], &mut [Val]) -> Result<()> + Send + Sync + 'static,
) -> Arc<HostFunc> {
    let call = move |mut caller: Caller<'_, D>, this: &HostFunc, slots: &mut [ValRaw]| {
        let (signature, called) = (&this.ty.ty, &this.name);
        let inner = caller.inner_mut();
        let mut values = SmallVec::<[Val; INLINE_VALUES]>::new();
        for (index, (ty, raw)) in signature.params.iter().zip(slots.iter()).enumerate() {
            let param = Val::load(inner, *raw, *ty);
            // The import it is linked as may allow null where `ty` does not.
            if let (wasm::ValType::Ref(RefType { nullable: false, .. }), Some(true)) =
                (ty, param.ref_().map(|param| param.is_null()))
            {
                bail!("parameter {index} of {called}: expected a non-null reference, found null");
            }
            values.push(param);
        }
        values.extend(signature.results.iter().map(|ty| zero(inner, *ty)));
        let (params, results) = values.split_at_mut(signature.params.len());
        func(caller.reborrow(), params, results)?;
        let inner = caller.inner();
        for (index, (result, ty)) in results.iter().zip(&signature.results).enumerate() {
            let raw = result.lower_as(inner, *ty);
            slots[index] = raw.with_context(|| format!("result {index} of {called}"))?;
        }
        Ok(())
    };
    shim::define_array(ty.info().clone(), name.into(), call)
}

/// With how many parameters and results a call over dynamically typed values allocates nothing.
const INLINE_VALUES: usize = 8;

/// The value that a result has until it is assigned.
fn zero(store: &mut crate::instance::store::StoreInner, ty: wasm::ValType) -> Val {
    match ty {
        wasm::ValType::I32 => Val::I32(0),
        wasm::ValType::I64 => Val::I64(0),
        wasm::ValType::F32 => Val::F32(0),
        wasm::ValType::F64 => Val::F64(0),
        wasm::ValType::V128 => Val::V128(0.into()),
        wasm::ValType::Ref(ty) => {
            let null = match store.engine.is_func_heap(ty.heap) {
                true => RawRef::Func(None),
                false => RawRef::Gc(0),
            };
            Ref::load(store, null, ty.heap).into()
        }
    }
}
