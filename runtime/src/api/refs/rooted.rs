//! `Rooted`: handles of objects that stay alive until a scope is left.

use std::any::type_name;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::ops::Deref;

use super::{GcRef, ManuallyRooted, RootedGcRef, resolve, sealed};
use crate::api::store::{AsContext, AsContextMut};
use crate::error::Result;
use crate::gc::{self, RootIndex};
use crate::instance::store::StoreInner;

/// A reference to a garbage-collected object, which stays alive until the scope is left that the
/// reference was made in.
///
/// A `Rooted` is a small value, free to copy: the name of a root in the store. After its scope was
/// left every use of it is an error, as is every use with another store.
///
/// ```
/// use hostref::{ExternRef, Result, RootScope, Rooted, Store};
///
/// # fn main() -> Result<()> {
/// let mut store = Store::<()>::default();
/// let hello: Rooted<ExternRef> = ExternRef::new(&mut store, "hello")?;
/// let goodbye = {
///     let mut scope = RootScope::new(&mut store);
///     let goodbye = ExternRef::new(&mut scope, "goodbye")?;
///     assert!(goodbye.data(&scope).is_ok());
///     goodbye
/// };
/// assert!(hello.data(&store).is_ok());
/// assert!(goodbye.data(&store).is_err());
/// # Ok(())
/// # }
/// ```
///
/// # Scopes
///
/// There are three kinds:
///
/// * the [`Store`](crate::Store) itself: what is rooted in it stays alive as long as the store;
/// * every call of a host function: what is rooted with its [`Caller`](crate::Caller) is unrooted
///   when it returns;
/// * every [`RootScope`](crate::RootScope), until it is dropped.
///
/// Scopes nest strictly, and an outer scope's roots can be used in the inner ones:
///
/// ```text
///  Store::new
///  | let a = ..                          a
///  | call into Wasm                      .
///  | | host function                     .
///  | | | let b = ..                      .  b
///  | | returns, unroots b                .  -
///  | RootScope::new                      .
///  | | let c = ..                        .     c
///  | drop, unroots c                     .     -
///  drop, unroots a                       -
/// ```
///
/// To keep an object alive independently of scopes, see
/// [`to_manually_rooted`](Rooted::to_manually_rooted).
#[derive(Clone, Copy)]
pub struct Rooted<T> {
    inner: T,
}

impl<T: GcRef> Rooted<T> {
    /// Keeps the object alive beyond this root's scope.
    ///
    /// # Errors
    ///
    /// Fails when this root's scope was left, or with another store.
    ///
    /// ```
    /// use hostref::{ExternRef, Result, RootScope, Store};
    ///
    /// # fn main() -> Result<()> {
    /// let mut store = Store::<()>::default();
    /// let kept = {
    ///     let mut scope = RootScope::new(&mut store);
    ///     let text = ExternRef::new(&mut scope, "text")?;
    ///     text.to_manually_rooted(&mut scope)?
    /// };
    /// assert_eq!(kept.data(&store)?.downcast_ref(), Some(&"text"));
    /// kept.unroot(&mut store);
    /// # Ok(())
    /// # }
    /// ```
    pub fn to_manually_rooted(&self, mut store: impl AsContextMut) -> Result<ManuallyRooted<T>> {
        let inner = store.as_context_mut().into_inner();
        let reference = self.gc_ref(inner)?;
        Ok(ManuallyRooted::from_gc_ref(inner, reference))
    }

    /// As [`to_manually_rooted`](Rooted::to_manually_rooted), by its newer name.
    ///
    /// # Errors
    ///
    /// As [`to_manually_rooted`](Rooted::to_manually_rooted).
    pub fn to_owned_rooted(&self, store: impl AsContextMut) -> Result<ManuallyRooted<T>> {
        self.to_manually_rooted(store)
    }

    /// Whether two handles are the same root. Two roots of one object are different; to compare
    /// objects see [`ref_eq`](Rooted::ref_eq).
    ///
    /// ```
    /// use hostref::{ExternRef, Result, Rooted, Store};
    ///
    /// # fn main() -> Result<()> {
    /// let mut store = Store::<()>::default();
    /// let a = ExternRef::new(&mut store, 1)?;
    /// let copy = a;
    /// assert!(Rooted::rooted_eq(a, copy));
    /// let again = a.to_manually_rooted(&mut store)?.into_rooted(&mut store);
    /// assert!(!Rooted::rooted_eq(a, again));
    /// assert!(Rooted::ref_eq(&store, &a, &again)?);
    /// # Ok(())
    /// # }
    /// ```
    pub fn rooted_eq(a: Self, b: Self) -> bool {
        a.inner.index() == b.inner.index()
    }

    /// Whether two roots, of any kind, lead to the same object, or hold the same `i31`.
    ///
    /// # Errors
    ///
    /// Fails when one of them has ended or belongs to another store.
    ///
    /// ```
    /// use hostref::{ExternRef, Result, Rooted, Store};
    ///
    /// # fn main() -> Result<()> {
    /// let mut store = Store::<()>::default();
    /// let a = ExternRef::new(&mut store, 1)?;
    /// let b = a.to_manually_rooted(&mut store)?;
    /// let other = ExternRef::new(&mut store, 1)?;
    /// assert!(Rooted::ref_eq(&store, &a, &b)?);
    /// assert!(!Rooted::ref_eq(&store, &other, &b)?);
    /// # Ok(())
    /// # }
    /// ```
    pub fn ref_eq<U: GcRef>(
        store: impl AsContext,
        a: &impl RootedGcRef<T>,
        b: &impl RootedGcRef<U>,
    ) -> Result<bool> {
        let inner = store.as_context().inner();
        Ok(resolve(inner, a.root_index())? == resolve(inner, b.root_index())?)
    }

    /// Hashes the root: equal for handles that are [`rooted_eq`](Rooted::rooted_eq).
    pub fn rooted_hash<H: Hasher>(&self, state: &mut H) {
        self.inner.index().hash(state);
    }

    /// Hashes the object's identity: equal for roots that are [`ref_eq`](Rooted::ref_eq), and the
    /// same before and after a collection.
    ///
    /// # Errors
    ///
    /// Fails when this root's scope was left, or with another store.
    ///
    /// ```
    /// use std::hash::{DefaultHasher, Hasher};
    /// use hostref::{ExternRef, Result, Rooted, Store};
    ///
    /// fn hash(store: &Store<()>, root: Rooted<ExternRef>) -> Result<u64> {
    ///     let mut hasher = DefaultHasher::new();
    ///     root.ref_hash(store, &mut hasher)?;
    ///     Ok(hasher.finish())
    /// }
    ///
    /// # fn main() -> Result<()> {
    /// let mut store = Store::<()>::default();
    /// let garbage = ExternRef::new_manually_rooted(&mut store, 1)?;
    /// let root = ExternRef::new(&mut store, 2)?;
    /// let before = hash(&store, root)?;
    /// garbage.unroot(&mut store);
    /// store.gc();
    /// assert_eq!(hash(&store, root)?, before);
    /// # Ok(())
    /// # }
    /// ```
    pub fn ref_hash<H: Hasher>(&self, store: impl AsContext, state: &mut H) -> Result<()> {
        let inner = store.as_context().inner();
        inner.gc.identity(self.gc_ref(inner)?).hash(state);
        Ok(())
    }
}

impl<T: GcRef> Rooted<T> {
    /// Roots `reference`, which must be one that `T` stands for, in the current scope.
    #[inline]
    pub(crate) fn from_gc_ref(inner: &mut StoreInner, reference: gc::GcRef) -> Rooted<T> {
        Rooted { inner: T::from_index(inner.gc.root(reference)) }
    }

    /// The reference itself, good until the next collection.
    ///
    /// # Errors
    ///
    /// Fails when this root's scope was left, or with another store.
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
    #[inline]
    pub(super) fn view<U: GcRef>(self) -> Rooted<U> {
        Rooted::from_index(self.inner.index())
    }

    /// The root of this name, which must lead to what `T` stands for.
    #[inline]
    pub(super) fn from_index(index: RootIndex) -> Rooted<T> {
        Rooted { inner: T::from_index(index) }
    }
}

impl<T: GcRef> sealed::Root for Rooted<T> {
    fn root_index(&self) -> RootIndex {
        self.inner.index()
    }
}

impl<T: GcRef> Deref for Rooted<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.inner
    }
}

impl<T: GcRef> fmt::Debug for Rooted<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Rooted<{}>({:?})", type_name::<T>(), self.inner.index())
    }
}
