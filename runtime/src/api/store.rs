//! `Store<T>`: the owner of instances, references and the embedder's data, and the borrowed views
//! of it that every operation takes.

use std::sync::atomic::Ordering;

use super::engine::Engine;
use super::func::shim;
use crate::error::Result;
use crate::gc::{GcStats, Why};
use crate::instance::limiter::ResourceLimiter;
use crate::instance::store::{EpochBehavior, StoreInner, StoreShell};

/// Everything a group of instances shares: their memories, tables, references, and data of the
/// embedder's type `T`.
///
/// A store is used by one thread at a time and may move between threads if `T` may. Nothing in it
/// is freed before the store is dropped, but host objects, which die when no reference to them is
/// left.
///
/// ```
/// use hostref::{Engine, Store};
///
/// let engine = Engine::default();
/// let mut store = Store::new(&engine, 1);
/// *store.data_mut() += 1;
/// assert_eq!(store.into_data(), 2);
/// ```
pub struct Store<T: 'static> {
    shell: Box<StoreShell<T>>,
}

/// A shared view of a store.
pub struct StoreContext<'a, T: 'static>(pub(crate) &'a StoreShell<T>);

/// An exclusive view of a store.
pub struct StoreContextMut<'a, T: 'static>(pub(crate) &'a mut StoreShell<T>);

/// Anything that gives shared access to a store: the store itself, a context, a
/// [`Caller`](crate::Caller), a [`RootScope`](crate::RootScope), and references to them.
pub trait AsContext {
    /// The store's data type.
    type Data: 'static;

    /// A shared view of the store.
    fn as_context(&self) -> StoreContext<'_, Self::Data>;
}

/// Anything that gives exclusive access to a store.
pub trait AsContextMut: AsContext {
    /// An exclusive view of the store.
    fn as_context_mut(&mut self) -> StoreContextMut<'_, Self::Data>;
}

/// What an epoch callback decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum UpdateDeadline {
    /// The guest goes on for this many further epochs.
    Continue(u64),
    /// The guest is stopped with [`Trap::Interrupt`](crate::Trap::Interrupt).
    Interrupt,
}

impl<T: 'static> Store<T> {
    /// An empty store with the embedder's `data`.
    pub fn new(engine: &Engine, data: T) -> Store<T> {
        let inner = StoreInner::new(engine);
        Store { shell: Box::new(StoreShell { inner, data }) }
    }

    /// The embedder's data.
    pub fn data(&self) -> &T {
        &self.shell.data
    }

    /// The embedder's data.
    pub fn data_mut(&mut self) -> &mut T {
        &mut self.shell.data
    }

    /// Drops the store and gives the embedder's data back.
    pub fn into_data(self) -> T {
        let StoreShell { inner, data } = *self.shell;
        drop(inner);
        data
    }

    /// The engine the store belongs to.
    pub fn engine(&self) -> &Engine {
        &self.shell.inner.engine_handle
    }

    /// What the collector of this store has done so far, and what its heap holds.
    ///
    /// ```
    /// use hostref::{Engine, ExternRef, RootScope, Store};
    ///
    /// # fn main() -> hostref::Result<()> {
    /// let mut store = Store::new(&Engine::default(), ());
    /// {
    ///     let mut scope = RootScope::new(&mut store);
    ///     ExternRef::new(&mut scope, "an object")?;
    /// }
    /// assert_eq!(store.gc_stats().host_objects, 1);
    /// store.gc();
    /// assert_eq!((store.gc_stats().host_objects, store.gc_stats().full_collections), (0, 1));
    /// # Ok(())
    /// # }
    /// ```
    pub fn gc_stats(&self) -> GcStats {
        self.shell.inner.gc_stats()
    }

    /// Bytes of memory that stand ready for objects of the GC heap; 0 before the first object. The limit
    /// is [`Config::gc_heap_limit`](crate::Config::gc_heap_limit).
    ///
    /// ```
    /// use hostref::{Engine, ExternRef, Store};
    ///
    /// # fn main() -> hostref::Result<()> {
    /// let mut store = Store::new(&Engine::default(), ());
    /// assert_eq!(store.gc_heap_capacity(), 0);
    /// ExternRef::new(&mut store, "an object")?;
    /// assert!(store.gc_heap_capacity() >= store.gc_stats().heap_bytes);
    /// # Ok(())
    /// # }
    /// ```
    pub fn gc_heap_capacity(&self) -> usize {
        self.gc_stats().committed_bytes
    }

    /// Collects garbage now. It is never necessary: collections start by themselves.
    ///
    /// # Panics
    ///
    /// If the destructor of a dead host object panics.
    pub fn gc(&mut self) {
        self.shell.inner.collect(Why::Asked);
    }

    /// As [`gc`](Store::gc), for callers in an `async` context. It does not suspend.
    pub async fn gc_async(&mut self) {
        self.gc();
    }

    /// Lets `limiter` find, in the store's data, who decides what the store may hold from now on:
    /// memories, tables, instances, the GC heap. What there is already is not asked for again.
    ///
    /// ```
    /// use hostref::{Engine, Instance, Module, Result, Store, StoreLimits, StoreLimitsBuilder};
    ///
    /// # fn main() -> Result<()> {
    /// let engine = Engine::default();
    /// let module = Module::new(&engine, r#"
    ///     (module
    ///         (memory 1)
    ///         (func (export "grow") (result i32) (memory.grow (i32.const 2))))
    /// "#)?;
    /// let limits = StoreLimitsBuilder::new().memory_size(2 << 16).build();
    /// let mut store = Store::new(&engine, limits);
    /// store.limiter(|limits| limits);
    /// let instance = Instance::new(&mut store, &module, &[])?;
    /// let grow = instance.get_typed_func::<(), i32>(&mut store, "grow")?;
    /// assert_eq!(grow.call(&mut store, ())?, -1);
    /// # Ok(())
    /// # }
    /// ```
    pub fn limiter(
        &mut self,
        limiter: impl (FnMut(&mut T) -> &mut dyn ResourceLimiter) + Send + Sync + 'static,
    ) {
        self.shell.inner.set_limiter(shim::limiter(limiter));
    }

    /// Gives guests `fuel` units to run with, whatever they had. An operator costs about one; a store
    /// begins with none.
    ///
    /// # Errors
    ///
    /// If [`Config::consume_fuel`](crate::Config::consume_fuel) is off.
    ///
    /// ```
    /// use hostref::{Config, Engine, Instance, Module, Result, Store, Trap};
    ///
    /// # fn main() -> Result<()> {
    /// let engine = Engine::new(Config::new().consume_fuel(true))?;
    /// let module = Module::new(&engine, r#"(module (func (export "run") (loop (br 0))))"#)?;
    /// let mut store = Store::new(&engine, ());
    /// store.set_fuel(10_000)?;
    /// let instance = Instance::new(&mut store, &module, &[])?;
    /// let run = instance.get_typed_func::<(), ()>(&mut store, "run")?;
    /// let error = run.call(&mut store, ()).unwrap_err();
    /// assert_eq!(error.downcast_ref::<Trap>(), Some(&Trap::OutOfFuel));
    /// assert_eq!(store.get_fuel()?, 0);
    /// # Ok(())
    /// # }
    /// ```
    pub fn set_fuel(&mut self, fuel: u64) -> Result<()> {
        self.shell.inner.set_fuel(fuel)
    }

    /// The fuel that is left.
    ///
    /// # Errors
    ///
    /// If [`Config::consume_fuel`](crate::Config::consume_fuel) is off.
    pub fn get_fuel(&self) -> Result<u64> {
        self.shell.inner.fuel()
    }

    /// Lets guests run until the engine's epoch has advanced `delta` times from now. Only code that
    /// was compiled with [`Config::epoch_interruption`](crate::Config::epoch_interruption) looks at
    /// it; such code traps at once in a store that never set a deadline.
    pub fn set_epoch_deadline(&mut self, delta: u64) {
        self.as_context_mut().set_epoch_deadline(delta);
    }

    /// Makes guests trap with [`Trap::Interrupt`](crate::Trap::Interrupt) at the deadline. This is
    /// the default.
    pub fn epoch_deadline_trap(&mut self) {
        self.shell.inner.epoch = EpochBehavior::Trap;
    }

    /// Calls `callback` when a guest reaches the deadline; an error stops the guest.
    ///
    /// ```
    /// use hostref::{Config, Engine, Instance, Module, Result, Store, Trap, UpdateDeadline};
    ///
    /// # fn main() -> Result<()> {
    /// let engine = Engine::new(Config::new().epoch_interruption(true))?;
    /// let module = Module::new(&engine, r#"(module (func (export "run") (loop (br 0))))"#)?;
    /// let mut store = Store::new(&engine, 0);
    /// store.set_epoch_deadline(1);
    /// store.epoch_deadline_callback(|mut store| {
    ///     *store.data_mut() += 1;
    ///     Ok(match *store.data() {
    ///         3 => UpdateDeadline::Interrupt,
    ///         _ => UpdateDeadline::Continue(0),
    ///     })
    /// });
    /// engine.increment_epoch();
    /// let instance = Instance::new(&mut store, &module, &[])?;
    /// let run = instance.get_typed_func::<(), ()>(&mut store, "run")?;
    /// let error = run.call(&mut store, ()).unwrap_err();
    /// assert_eq!(error.downcast_ref::<Trap>(), Some(&Trap::Interrupt));
    /// assert_eq!(*store.data(), 3);
    /// # Ok(())
    /// # }
    /// ```
    pub fn epoch_deadline_callback(
        &mut self,
        callback: impl FnMut(StoreContextMut<'_, T>) -> Result<UpdateDeadline> + Send + Sync + 'static,
    ) {
        self.shell.inner.epoch = shim::epoch_callback(callback);
    }
}

impl<'a, T: 'static> StoreContext<'a, T> {
    /// The embedder's data.
    pub fn data(&self) -> &'a T {
        &self.0.data
    }

    /// The engine the store belongs to.
    pub fn engine(&self) -> &Engine {
        &self.0.inner.engine_handle
    }

    /// As [`Store::gc_stats`].
    pub fn gc_stats(&self) -> GcStats {
        self.0.inner.gc_stats()
    }

    /// As [`Store::get_fuel`].
    ///
    /// # Errors
    ///
    /// As [`Store::get_fuel`].
    pub fn get_fuel(&self) -> Result<u64> {
        self.0.inner.fuel()
    }

    pub(crate) fn inner(&self) -> &'a StoreInner {
        &self.0.inner
    }
}

impl<'a, T: 'static> StoreContextMut<'a, T> {
    /// The embedder's data.
    pub fn data(&self) -> &T {
        &self.0.data
    }

    /// The embedder's data.
    pub fn data_mut(&mut self) -> &mut T {
        &mut self.0.data
    }

    /// The engine the store belongs to.
    pub fn engine(&self) -> &Engine {
        &self.0.inner.engine_handle
    }

    /// As [`Store::gc_stats`].
    pub fn gc_stats(&self) -> GcStats {
        self.0.inner.gc_stats()
    }

    /// As [`Store::gc`].
    ///
    /// # Panics
    ///
    /// As [`Store::gc`].
    pub fn gc(&mut self) {
        self.0.inner.collect(Why::Asked);
    }

    /// As [`Store::gc_async`].
    pub async fn gc_async(&mut self) {
        self.gc();
    }

    /// As [`Store::set_fuel`].
    ///
    /// # Errors
    ///
    /// As [`Store::set_fuel`].
    pub fn set_fuel(&mut self, fuel: u64) -> Result<()> {
        self.0.inner.set_fuel(fuel)
    }

    /// As [`Store::get_fuel`].
    ///
    /// # Errors
    ///
    /// As [`Store::get_fuel`].
    pub fn get_fuel(&self) -> Result<u64> {
        self.0.inner.fuel()
    }

    /// As [`Store::set_epoch_deadline`].
    pub fn set_epoch_deadline(&mut self, delta: u64) {
        let inner = &mut self.0.inner;
        let now = inner.engine.code.epoch.load(Ordering::Relaxed);
        inner.vm.epoch_deadline.set(now.saturating_add(delta));
    }

    /// As [`Store::epoch_deadline_trap`].
    pub fn epoch_deadline_trap(&mut self) {
        self.0.inner.epoch = EpochBehavior::Trap;
    }

    pub(crate) fn inner(&self) -> &StoreInner {
        &self.0.inner
    }

    pub(crate) fn inner_mut(&mut self) -> &mut StoreInner {
        &mut self.0.inner
    }

    /// The view itself with its full lifetime.
    pub(crate) fn into_inner(self) -> &'a mut StoreInner {
        &mut self.0.inner
    }
}

impl<T: 'static> AsContext for Store<T> {
    type Data = T;

    fn as_context(&self) -> StoreContext<'_, T> {
        StoreContext(&self.shell)
    }
}

impl<T: 'static> AsContextMut for Store<T> {
    fn as_context_mut(&mut self) -> StoreContextMut<'_, T> {
        StoreContextMut(&mut self.shell)
    }
}

impl<T: 'static> AsContext for StoreContext<'_, T> {
    type Data = T;

    fn as_context(&self) -> StoreContext<'_, T> {
        StoreContext(self.0)
    }
}

impl<T: 'static> AsContext for StoreContextMut<'_, T> {
    type Data = T;

    fn as_context(&self) -> StoreContext<'_, T> {
        StoreContext(self.0)
    }
}

impl<T: 'static> AsContextMut for StoreContextMut<'_, T> {
    fn as_context_mut(&mut self) -> StoreContextMut<'_, T> {
        StoreContextMut(self.0)
    }
}

impl<C: AsContext> AsContext for &C {
    type Data = C::Data;

    fn as_context(&self) -> StoreContext<'_, C::Data> {
        C::as_context(self)
    }
}

impl<C: AsContext> AsContext for &mut C {
    type Data = C::Data;

    fn as_context(&self) -> StoreContext<'_, C::Data> {
        C::as_context(self)
    }
}

impl<C: AsContextMut> AsContextMut for &mut C {
    fn as_context_mut(&mut self) -> StoreContextMut<'_, C::Data> {
        C::as_context_mut(self)
    }
}

impl<'a, C: AsContext> From<&'a C> for StoreContext<'a, C::Data> {
    fn from(context: &'a C) -> Self {
        context.as_context()
    }
}

impl<'a, C: AsContext> From<&'a mut C> for StoreContext<'a, C::Data> {
    fn from(context: &'a mut C) -> Self {
        C::as_context(context)
    }
}

impl<'a, C: AsContextMut> From<&'a mut C> for StoreContextMut<'a, C::Data> {
    fn from(context: &'a mut C) -> Self {
        context.as_context_mut()
    }
}

impl<'a, T: 'static> From<StoreContextMut<'a, T>> for StoreContext<'a, T> {
    fn from(context: StoreContextMut<'a, T>) -> Self {
        StoreContext(context.0)
    }
}

impl<T: 'static + Default> Default for Store<T> {
    /// A store of the default data in an engine of its own with the default settings.
    fn default() -> Store<T> {
        Store::new(&Engine::default(), T::default())
    }
}

impl<T: 'static + std::fmt::Debug> std::fmt::Debug for Store<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Store").field("data", self.data()).finish_non_exhaustive()
    }
}
