//! `Func`: a function of a store, called with values whose types are known at run time.

pub(crate) mod arity;
#[allow(unsafe_code, reason = "enters Wasm")]
pub(crate) mod enter;
pub(crate) mod host;
#[allow(unsafe_code, reason = "is entered by Wasm")]
pub(crate) mod shim;
pub(crate) mod typed;

use anyhow::bail;

use super::caller::Caller;
use super::engine::Engine;
use super::store::{AsContext, AsContextMut};
use super::types::FuncType;
use super::value::Val;
use crate::error::Result;
use crate::gc::roots::StoreId;
use crate::instance::definition::FuncPtr;
use crate::instance::store::StoreInner;
use host::IntoFunc;
use typed::{TypedFunc, WasmParams, WasmResults};

/// A function: an export, a host function, or a reference that came out of a table.
///
/// It is a handle: it belongs to one store, and using it with another is an error.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Func {
    store: StoreId,
    ptr: FuncPtr,
}

impl Func {
    /// A host function from a Rust closure.
    ///
    /// Parameters and results are [`WasmTy`](crate::WasmTy)s, with an optional
    /// [`Caller`] first; several results are a tuple, and `Result` of any of these lets the
    /// function stop the guest with an error.
    ///
    /// ```
    /// use hostref::{Engine, Func, Result, Store};
    ///
    /// # fn main() -> Result<()> {
    /// let mut store = Store::new(&Engine::default(), ());
    /// let divide = Func::wrap(&mut store, |a: i32, b: i32| -> Result<i32> {
    ///     a.checked_div(b).ok_or_else(|| hostref::Error::msg("no quotient"))
    /// });
    /// let divide = divide.typed::<(i32, i32), i32>(&store)?;
    /// assert_eq!(divide.call(&mut store, (6, 3))?, 2);
    /// assert!(divide.call(&mut store, (6, 0)).is_err());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Panics
    ///
    /// If the trampoline for the signature cannot be compiled for lack of memory.
    pub fn wrap<T: 'static, Params, Results>(
        mut store: impl AsContextMut<Data = T>,
        func: impl IntoFunc<T, Params, Results>,
    ) -> Func {
        let mut store = store.as_context_mut();
        let def = func.into_host_func(store.engine(), "host function").0;
        let inner = store.inner_mut();
        let ptr = inner.host_record(&def, def.ty.id);
        Func::from_ptr(inner, ptr.expect("a host function's trampoline compiles"))
    }

    /// A host function of type `ty` from a closure over dynamically typed values.
    ///
    /// Arguments come in the first slice; the closure writes its results, which are null or zero
    /// at first, to the second. Wrong result types stop the guest with an error.
    ///
    /// ```
    /// use hostref::{Engine, Func, FuncType, Result, Store, Val, ValType};
    ///
    /// # fn main() -> Result<()> {
    /// let engine = Engine::default();
    /// let mut store = Store::new(&engine, ());
    /// let ty = FuncType::new(&engine, [ValType::I32], [ValType::I32]);
    /// let double = Func::new(&mut store, ty, |_caller, params, results| {
    ///     results[0] = Val::I32(params[0].unwrap_i32() * 2);
    ///     Ok(())
    /// });
    /// let mut results = [Val::I32(0)];
    /// double.call(&mut store, &[Val::I32(21)], &mut results)?;
    /// assert_eq!(results[0].unwrap_i32(), 42);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Panics
    ///
    /// If `ty` belongs to another engine.
    pub fn new<T: 'static>(
        mut store: impl AsContextMut<Data = T>,
        ty: FuncType,
        func: impl Fn(Caller<'_, T>, &[Val], &mut [Val]) -> Result<()> + Send + Sync + 'static,
    ) -> Func {
        let mut store = store.as_context_mut();
        assert!(Engine::same(ty.engine(), store.engine()), "the type belongs to another engine");
        let def = host::dynamic(&ty, "host function", func);
        let inner = store.inner_mut();
        let ptr = inner.host_record(&def, def.ty.id);
        Func::from_ptr(inner, ptr.expect("a host function's trampoline compiles"))
    }

    /// The function's type.
    ///
    /// # Panics
    ///
    /// If the function belongs to another store.
    pub fn ty(&self, store: impl AsContext) -> FuncType {
        let store = store.as_context();
        let ptr = self.checked(store.inner()).expect("the function belongs to this store");
        FuncType::from_id(store.engine(), ptr.type_id())
    }

    /// Whether the function's type is `ty` or a subtype of it.
    ///
    /// # Panics
    ///
    /// If the function belongs to another store, or `ty` to another engine.
    pub fn matches_ty(&self, store: impl AsContext, ty: &FuncType) -> bool {
        self.ty(store).matches(ty)
    }

    /// Calls the function.
    ///
    /// References among `params` may be of an outer root scope; references among `results` are
    /// rooted in the current one.
    ///
    /// # Errors
    ///
    /// If the number or the type of an argument or the number of results is wrong, or if the guest
    /// is stopped: then the trap or the host function's error, with a
    /// [`WasmBacktrace`](crate::WasmBacktrace) as context.
    ///
    /// # Panics
    ///
    /// Resumes the panic of a host function.
    pub fn call(
        &self,
        mut store: impl AsContextMut,
        params: &[Val],
        results: &mut [Val],
    ) -> Result<()> {
        let store = store.as_context_mut();
        let ptr = self.checked(store.inner())?;
        enter::call_vals(store.0, ptr, params, results)
    }

    /// The function with its type checked once, for fast calls.
    ///
    /// Parameters and results are compared with the Rust types, a tuple for several. A result that
    /// the Wasm type allows to be null may be asked for as non-null: null is then an error of the
    /// call. A parameter may be asked for as a wider reference than the Wasm type has, such as
    /// [`Func`] where functions of one type are expected, or as one that may be null: then each call
    /// checks its arguments.
    ///
    /// # Errors
    ///
    /// If the types differ; the error names both.
    pub fn typed<Params: WasmParams, Results: WasmResults>(
        &self,
        store: impl AsContext,
    ) -> Result<TypedFunc<Params, Results>> {
        TypedFunc::new(*self, store.as_context().inner())
    }

    /// The function as a raw pointer for [`ValRaw::funcref`](crate::ValRaw::funcref).
    ///
    /// # Panics
    ///
    /// If the function belongs to another store.
    pub fn to_raw(&self, store: impl AsContext) -> *mut std::ffi::c_void {
        let ptr = self.checked(store.as_context().inner());
        let ptr = ptr.expect("the function belongs to this store");
        std::ptr::with_exposed_provenance_mut(FuncPtr::to_address(Some(ptr)))
    }

    pub(crate) fn from_ptr(store: &StoreInner, ptr: FuncPtr) -> Func {
        Func { store: store.id(), ptr }
    }

    /// The record, if it belongs to `store`.
    #[inline]
    pub(crate) fn checked(&self, store: &StoreInner) -> Result<FuncPtr> {
        if self.store != store.id() {
            bail!("the function belongs to another store");
        }
        Ok(self.ptr)
    }
}

impl std::fmt::Debug for Func {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Func").finish_non_exhaustive()
    }
}
