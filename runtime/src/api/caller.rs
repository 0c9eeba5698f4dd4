//! `Caller`: a host function's view of the store and of the instance that calls it.

use std::cell::Cell;
use std::marker::PhantomData;

use super::engine::Engine;
use super::externs::Extern;
use super::func::shim::CallingCtx;
use super::instance::Instance;
use super::module::ModuleExport;
use super::store::{AsContext, AsContextMut, StoreContext, StoreContextMut};
use crate::error::Result;
use crate::instance::store::{StoreInner, StoreShell};

/// What a host function sees of its caller: the store and the calling instance.
///
/// ```
/// use hostref::{Caller, Engine, Extern, Func, Instance, Module, Result, Store};
///
/// # fn main() -> Result<()> {
/// let engine = Engine::default();
/// let mut store = Store::new(&engine, Vec::new());
/// let log = Func::wrap(&mut store, |mut caller: Caller<'_, Vec<u8>>, at: u32| {
///     let memory = caller.get_export("memory").and_then(Extern::into_memory);
///     let memory = memory.expect("the guest exports its memory");
///     let byte = memory.data(&caller)[at as usize];
///     caller.data_mut().push(byte);
/// });
/// let module = Module::new(&engine, r#"
///     (module
///         (import "" "log" (func $log (param i32)))
///         (memory (export "memory") 1)
///         (data (i32.const 8) "x")
///         (func (export "run") (call $log (i32.const 8))))
/// "#)?;
/// let instance = Instance::new(&mut store, &module, &[log.into()])?;
/// instance.get_typed_func::<(), ()>(&mut store, "run")?.call(&mut store, ())?;
/// assert_eq!(store.data(), b"x");
/// # Ok(())
/// # }
/// ```
pub struct Caller<'a, T: 'static> {
    store: StoreContextMut<'a, T>,
    ctx: CallingCtx,
    /// Not `Sync`: the macros tell a `&mut Caller` from a `&mut` host object by it.
    _not_sync: PhantomData<Cell<()>>,
}

impl<'a, T: 'static> Caller<'a, T> {
    #[inline]
    pub(crate) fn new(shell: &'a mut StoreShell<T>) -> Caller<'a, T> {
        let ctx = CallingCtx::latest(&shell.inner);
        Caller { store: StoreContextMut(shell), ctx, _not_sync: PhantomData }
    }

    /// The store's data.
    pub fn data(&self) -> &T {
        self.store.data()
    }

    /// The store's data.
    pub fn data_mut(&mut self) -> &mut T {
        self.store.data_mut()
    }

    /// The store's engine.
    pub fn engine(&self) -> &Engine {
        self.store.engine()
    }

    /// As [`Store::gc`](crate::Store::gc).
    ///
    /// # Panics
    ///
    /// As [`Store::gc`](crate::Store::gc).
    pub fn gc(&mut self) {
        self.store.gc();
    }

    /// As [`Store::gc_heap_capacity`](crate::Store::gc_heap_capacity).
    pub fn gc_heap_capacity(&self) -> usize {
        self.store.gc_stats().committed_bytes
    }

    /// As [`Store::gc_async`](crate::Store::gc_async).
    pub async fn gc_async(&mut self) {
        self.gc();
    }

    /// As [`Store::set_fuel`](crate::Store::set_fuel).
    ///
    /// # Errors
    ///
    /// As [`Store::set_fuel`](crate::Store::set_fuel).
    pub fn set_fuel(&mut self, fuel: u64) -> Result<()> {
        self.store.set_fuel(fuel)
    }

    /// As [`Store::get_fuel`](crate::Store::get_fuel).
    ///
    /// # Errors
    ///
    /// As [`Store::get_fuel`](crate::Store::get_fuel).
    pub fn get_fuel(&self) -> Result<u64> {
        self.store.get_fuel()
    }

    /// The export called `name` of the calling instance; `None` if there is no such export, or no
    /// calling instance because the embedder called this function itself.
    pub fn get_export(&mut self, name: &str) -> Option<Extern> {
        self.instance()?.get_export(&mut self.store, name)
    }

    /// The export of the calling instance that
    /// [`Module::get_export_index`](crate::Module::get_export_index) found; `None` if it is another
    /// module's, or as for [`get_export`](Caller::get_export).
    pub fn get_module_export(&mut self, export: &ModuleExport) -> Option<Extern> {
        self.instance()?.get_module_export(&mut self.store, export)
    }

    /// The calling instance.
    pub(crate) fn instance(&self) -> Option<Instance> {
        let instance = self.ctx.instance()?;
        Some(Instance::from_position(self.store.inner(), instance))
    }

    /// The same view for a shorter time.
    #[inline]
    pub(crate) fn reborrow(&mut self) -> Caller<'_, T> {
        Caller { store: StoreContextMut(self.store.0), ctx: self.ctx, _not_sync: PhantomData }
    }

    /// Which instance calls.
    #[inline]
    pub(crate) fn calling(&self) -> CallingCtx {
        self.ctx
    }

    /// The store, and which instance calls.
    #[inline]
    pub(crate) fn as_parts(&mut self) -> (&mut StoreShell<T>, CallingCtx) {
        (self.store.0, self.ctx)
    }

    pub(crate) fn inner(&self) -> &StoreInner {
        self.store.inner()
    }

    pub(crate) fn inner_mut(&mut self) -> &mut StoreInner {
        self.store.inner_mut()
    }
}

impl<T: 'static> AsContext for Caller<'_, T> {
    type Data = T;

    fn as_context(&self) -> StoreContext<'_, T> {
        self.store.as_context()
    }
}

impl<T: 'static> AsContextMut for Caller<'_, T> {
    fn as_context_mut(&mut self) -> StoreContextMut<'_, T> {
        self.store.as_context_mut()
    }
}

impl<'a, T: 'static> From<Caller<'a, T>> for StoreContext<'a, T> {
    fn from(caller: Caller<'a, T>) -> Self {
        caller.store.into()
    }
}

impl<'a, T: 'static> From<Caller<'a, T>> for StoreContextMut<'a, T> {
    fn from(caller: Caller<'a, T>) -> Self {
        caller.store
    }
}

impl<T: 'static> std::fmt::Debug for Caller<'_, T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Caller").finish_non_exhaustive()
    }
}
