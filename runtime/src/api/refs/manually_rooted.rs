//! `ManuallyRooted`: handles of objects that stay alive independently of scopes.

use std::any::type_name;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::ops::Deref;

use super::{GcRef, Rooted, RootedGcRef, resolve, sealed};
use crate::api::store::{AsContext, AsContextMut};
use crate::error::Result;
use crate::gc::{self, Liveness, RootIndex};
use crate::instance::store::StoreInner;

/// A reference to a garbage-collected object, which stays alive as long as the handle: for keeping
/// references in the embedder's own data.
///
/// ```
/// use hostref::{ExternRef, ManuallyRooted, Result, Store};
///
/// # fn main() -> Result<()> {
/// let mut store = Store::<Option<ManuallyRooted<ExternRef>>>::default();
/// let kept = ExternRef::new_manually_rooted(&mut store, "kept")?;
/// *store.data_mut() = Some(kept);
/// if let Some(kept) = store.data_mut().take() {
///     assert_eq!(kept.data(&store)?.downcast_ref(), Some(&"kept"));
///     kept.unroot(&mut store);
/// }
/// # Ok(())
/// # }
/// ```
///
/// # Unrooting
///
/// [`unroot`](ManuallyRooted::unroot) ends the root at once. Dropping the handle without it is no
/// leak: the next collection notices. Only a handle that is never dropped
/// ([`std::mem::forget`], a cycle of `Arc`s) keeps its object alive as long as the store lives.
///
/// ```
/// use std::sync::Arc;
/// use hostref::{ExternRef, Result, Store};
///
/// # fn main() -> Result<()> {
/// let mut store = Store::<()>::default();
/// let witness = Arc::new(());
/// let handle = ExternRef::new_manually_rooted(&mut store, witness.clone())?;
/// store.gc();
/// assert_eq!(Arc::strong_count(&witness), 2);
/// drop(handle);
/// store.gc();
/// assert_eq!(Arc::strong_count(&witness), 1);
/// # Ok(())
/// # }
/// ```
pub struct ManuallyRooted<T> {
    inner: T,
    liveness: Liveness,
}

/// Another name of [`ManuallyRooted`].
pub type OwnedRooted<T> = ManuallyRooted<T>;

impl<T: GcRef> ManuallyRooted<T> {
    /// Another root of the same object, of its own. [`Clone`] shares the root, and needs no store; since
    /// this method has its name, say `Clone::clone(&handle)` for it.
    ///
    /// # Panics
    ///
    /// Panics with another store.
    ///
    /// ```
    /// use hostref::{ExternRef, ManuallyRooted, Result, Store};
    ///
    /// # fn main() -> Result<()> {
    /// let mut store = Store::<()>::default();
    /// let a = ExternRef::new_manually_rooted(&mut store, 1)?;
    /// let b = a.clone(&mut store);
    /// a.unroot(&mut store);
    /// assert!(b.data(&store).is_ok());
    /// # Ok(())
    /// # }
    /// ```
    pub fn clone(&self, mut store: impl AsContextMut) -> Self {
        let inner = store.as_context_mut().into_inner();
        let reference = self.own_gc_ref(inner);
        ManuallyRooted::from_gc_ref(inner, reference)
    }

    /// Ends the root, unless other handles share it: the object may be collected when nothing else
    /// leads to it.
    ///
    /// # Panics
    ///
    /// Panics with another store.
    pub fn unroot(self, mut store: impl AsContextMut) {
        let inner = store.as_context_mut().into_inner();
        self.own_gc_ref(inner);
        inner.gc.disown(self.inner.index(), self.liveness);
    }

    /// Roots the object in the current scope as well.
    ///
    /// # Panics
    ///
    /// Panics with another store.
    ///
    /// ```
    /// use hostref::{ExternRef, Result, RootScope, Store};
    ///
    /// # fn main() -> Result<()> {
    /// let mut store = Store::<()>::default();
    /// let manual = ExternRef::new_manually_rooted(&mut store, 1)?;
    /// let scoped = {
    ///     let mut scope = RootScope::new(&mut store);
    ///     let scoped = manual.to_rooted(&mut scope);
    ///     assert!(scoped.data(&scope).is_ok());
    ///     scoped
    /// };
    /// assert!(scoped.data(&store).is_err());
    /// assert!(manual.data(&store).is_ok());
    /// # Ok(())
    /// # }
    /// ```
    pub fn to_rooted(&self, mut context: impl AsContextMut) -> Rooted<T> {
        let inner = context.as_context_mut().into_inner();
        let reference = self.own_gc_ref(inner);
        Rooted::from_gc_ref(inner, reference)
    }

    /// Roots the object in the current scope instead.
    ///
    /// # Panics
    ///
    /// Panics with another store.
    ///
    /// ```
    /// use hostref::{ExternRef, Result, Store};
    ///
    /// # fn main() -> Result<()> {
    /// let mut store = Store::<()>::default();
    /// let manual = ExternRef::new_manually_rooted(&mut store, 1)?;
    /// let scoped = manual.into_rooted(&mut store);
    /// assert!(scoped.data(&store).is_ok());
    /// # Ok(())
    /// # }
    /// ```
    pub fn into_rooted(self, mut context: impl AsContextMut) -> Rooted<T> {
        let rooted = self.to_rooted(&mut context);
        self.unroot(context);
        rooted
    }

    /// Whether two roots, of either kind, lead to the same object. As [`Rooted::ref_eq`].
    ///
    /// # Errors
    ///
    /// Fails when one of them has ended or belongs to another store.
    pub fn ref_eq<U: GcRef>(
        store: impl AsContext,
        a: &impl RootedGcRef<T>,
        b: &impl RootedGcRef<U>,
    ) -> Result<bool> {
        Rooted::ref_eq(store, a, b)
    }

    /// Hashes the root: two roots of one object have different hashes.
    pub fn rooted_hash<H: Hasher>(&self, state: &mut H) {
        self.inner.index().hash(state);
    }

    /// Hashes the object's identity: equal for all roots of one object, and the same before and
    /// after a collection.
    ///
    /// # Panics
    ///
    /// Panics with another store.
    pub fn ref_hash<H: Hasher>(&self, store: impl AsContext, state: &mut H) {
        let inner = store.as_context().inner();
        inner.gc.identity(self.own_gc_ref(inner)).hash(state);
    }
}

impl<T: GcRef> ManuallyRooted<T> {
    /// Roots `reference`, which must be one that `T` stands for.
    pub(crate) fn from_gc_ref(inner: &mut StoreInner, reference: gc::GcRef) -> ManuallyRooted<T> {
        let (index, liveness) = inner.gc.own(reference);
        ManuallyRooted { inner: T::from_index(index), liveness }
    }

    /// The reference itself, good until the next collection.
    ///
    /// # Errors
    ///
    /// Fails with another store.
    #[inline]
    pub(crate) fn gc_ref(&self, inner: &StoreInner) -> Result<gc::GcRef> {
        resolve(inner, self.inner.index())
    }

    /// Whether the root is one of this store.
    #[inline]
    pub(crate) fn comes_from_same_store(&self, inner: &StoreInner) -> bool {
        self.inner.index().store() == inner.id()
    }

    /// The same root, seen as one of another kind of reference.
    pub(super) fn view<U: GcRef>(self) -> ManuallyRooted<U> {
        ManuallyRooted { inner: U::from_index(self.inner.index()), liveness: self.liveness }
    }

    fn own_gc_ref(&self, inner: &StoreInner) -> gc::GcRef {
        assert!(self.comes_from_same_store(inner), "a reference was used with another store");
        self.gc_ref(inner).expect("root invariant: a slot lives as long as its handle")
    }
}

impl<T: GcRef> sealed::Root for ManuallyRooted<T> {
    fn root_index(&self) -> RootIndex {
        self.inner.index()
    }
}

/// The clone is the same root, which ends with the last of its handles: for who keeps handles in the
/// store's data, and has no store to pass while that is borrowed.
///
/// ```
/// use hostref::{ExternRef, ManuallyRooted, Result, Store};
///
/// #[derive(Clone, Default)]
/// struct Kept {
///     names: Vec<ManuallyRooted<ExternRef<String>>>,
/// }
///
/// # fn main() -> Result<()> {
/// let mut store = Store::<Kept>::default();
/// let name = ExternRef::new_typed(&mut store, "hedgehog".to_owned())?;
/// let name = name.to_manually_rooted(&mut store)?;
/// store.data_mut().names.push(name);
/// for name in store.data().names.clone() {
///     let name = name.into_rooted(&mut store);
///     assert_eq!(name.data(&store)?, "hedgehog");
/// }
/// assert_eq!(store.data().names[0].data(&store)?, "hedgehog");
/// # Ok(())
/// # }
/// ```
impl<T: GcRef> Clone for ManuallyRooted<T> {
    fn clone(&self) -> Self {
        let inner = T::from_index(self.inner.index());
        ManuallyRooted { inner, liveness: self.liveness.clone() }
    }
}

impl<T: GcRef> Deref for ManuallyRooted<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.inner
    }
}

impl<T: GcRef> fmt::Debug for ManuallyRooted<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ManuallyRooted<{}>({:?})", type_name::<T>(), self.inner.index())
    }
}
