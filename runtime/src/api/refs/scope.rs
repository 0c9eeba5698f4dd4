//! `RootScope`: how long `Rooted` references last.

use crate::api::store::{AsContext, AsContextMut, StoreContext, StoreContextMut};
use crate::gc::Scope;

/// A scope for [`Rooted`](crate::Rooted) references: those made through it are unrooted when it is
/// dropped.
///
/// It wraps anything that gives exclusive access to a store and can be used in its place. Scopes
/// nest.
///
/// ```
/// use hostref::{ExternRef, Result, RootScope, Store};
///
/// # fn main() -> Result<()> {
/// let mut store = Store::<()>::default();
/// let a = ExternRef::new(&mut store, 1)?;
/// let (b, c);
/// {
///     let mut outer = RootScope::new(&mut store);
///     b = ExternRef::new(&mut outer, 2)?;
///     {
///         let mut inner = RootScope::new(&mut outer);
///         c = ExternRef::new(&mut inner, 3)?;
///         assert!(a.data(&inner).is_ok() && b.data(&inner).is_ok() && c.data(&inner).is_ok());
///     }
///     assert!(b.data(&outer).is_ok() && c.data(&outer).is_err());
/// }
/// assert!(a.data(&store).is_ok() && b.data(&store).is_err());
/// # Ok(())
/// # }
/// ```
///
/// Leaving a scope is also when a due collection runs, so a loop with a scope inside stays in
/// bounded memory however many objects it makes:
///
/// ```
/// use hostref::{ExternRef, Result, RootScope, Store};
///
/// # fn main() -> Result<()> {
/// let mut store = Store::<()>::default();
/// for number in 0..100_000 {
///     let mut scope = RootScope::new(&mut store);
///     ExternRef::new(&mut scope, number)?;
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct RootScope<C: AsContextMut> {
    // Never handed out as `&mut C`: two scopes of different stores could then be swapped.
    store: C,
    scope: Scope,
}

impl<C: AsContextMut> RootScope<C> {
    /// Enters a scope.
    pub fn new(store: C) -> RootScope<C> {
        let scope = store.as_context().inner().gc.enter_scope();
        RootScope { store, scope }
    }

    /// Makes room for `additional` references at once.
    ///
    /// ```
    /// use hostref::{ExternRef, Result, RootScope, Store};
    ///
    /// # fn main() -> Result<()> {
    /// let mut store = Store::<()>::default();
    /// let mut scope = RootScope::new(&mut store);
    /// scope.reserve(3);
    /// for number in 0..3 {
    ///     ExternRef::new(&mut scope, number)?;
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn reserve(&mut self, additional: usize) {
        self.store.as_context_mut().into_inner().gc.reserve_roots(additional);
    }
}

impl<C: AsContextMut> Drop for RootScope<C> {
    fn drop(&mut self) {
        let inner = self.store.as_context_mut().into_inner();
        inner.gc.exit_scope(self.scope);
        // A collection runs destructors, and one that panics while another panic unwinds through
        // here would abort.
        if inner.gc.should_collect() && !std::thread::panicking() {
            inner.safepoint();
        }
    }
}

impl<C: AsContextMut> AsContext for RootScope<C> {
    type Data = C::Data;

    fn as_context(&self) -> StoreContext<'_, C::Data> {
        self.store.as_context()
    }
}

impl<C: AsContextMut> AsContextMut for RootScope<C> {
    fn as_context_mut(&mut self) -> StoreContextMut<'_, C::Data> {
        self.store.as_context_mut()
    }
}
