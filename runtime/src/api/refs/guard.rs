//! `ObjectRef` and `ObjectRefMut`: borrows of host values that do not borrow the store.

use std::any::{Any, type_name};
use std::fmt;
use std::ops::{Deref, DerefMut};

use super::{ExternRef, HostAccessError};
use crate::api::store::{AsContext, AsContextMut};
use crate::error::{Error, Result};
use crate::gc::{Detached, DetachedMut, HostRefError, Located};
use crate::instance::store::StoreInner;

/// A host value borrowed for reading. While it lives, nobody borrows the value mutably; the store can
/// be used for everything else.
///
/// Made by [`ExternRef::try_borrow`].
pub struct ObjectRef<T>(Detached<T>);

/// A host value borrowed for reading and writing. While it lives, nobody else borrows the value; the
/// store can be used for everything else.
///
/// Made by [`ExternRef::try_borrow_mut`].
pub struct ObjectRefMut<T>(DetachedMut<T>);

/// Borrowing the value without borrowing the store.
impl<T: Any + Send + Sync> ExternRef<T> {
    /// Borrows the value for reading. The store stays free: guests may be called and objects made
    /// while the guard lives. Where they would change the value, they get an error.
    ///
    /// # Errors
    ///
    /// As [`data`](ExternRef::data).
    ///
    /// ```
    /// use hostref::{AsContextMut, ExternRef, Result, Store};
    ///
    /// # fn main() -> Result<()> {
    /// let mut store = Store::<()>::default();
    /// let list = ExternRef::new_typed(&mut store, vec![1, 2, 3])?;
    /// let items = list.try_borrow(&store)?;
    /// for item in items.iter() {
    ///     ExternRef::new_typed(&mut store, *item)?;
    /// }
    /// assert!(list.data_mut(&mut store).is_err());
    /// drop(items);
    /// list.data_mut(&mut store)?.clear();
    /// # Ok(())
    /// # }
    /// ```
    pub fn try_borrow(&self, store: impl AsContext) -> Result<ObjectRef<T>> {
        let store = store.as_context();
        let (inner, raw) = (store.inner(), self.gc_ref(store.inner())?.to_raw());
        // SAFETY: nothing was dropped since the value was located.
        let guard = unsafe { located::<T>(inner, raw)?.detach() };
        guard.map(ObjectRef).map_err(|reason| denied::<T>(inner, raw, reason.into()))
    }

    /// Borrows the value for reading and writing. The store stays free: guests may be called and
    /// objects made while the guard lives. Where they would use the value, they get an error.
    ///
    /// # Errors
    ///
    /// As [`data_mut`](ExternRef::data_mut).
    ///
    /// ```
    /// use hostref::{ExternRef, Result, Store};
    ///
    /// # fn main() -> Result<()> {
    /// let mut store = Store::<()>::default();
    /// let list = ExternRef::new_typed(&mut store, vec![1, 2, 3])?;
    /// let mut items = list.try_borrow_mut(&mut store)?;
    /// items.push(4);
    /// store.gc();
    /// assert!(list.data(&store).is_err());
    /// drop(items);
    /// assert_eq!(list.data(&store)?.len(), 4);
    /// # Ok(())
    /// # }
    /// ```
    pub fn try_borrow_mut(&self, mut store: impl AsContextMut) -> Result<ObjectRefMut<T>> {
        let store = store.as_context_mut();
        let inner: &StoreInner = store.into_inner();
        let raw = self.gc_ref(inner)?.to_raw();
        // SAFETY: nothing was dropped since the value was located, and the store is borrowed
        // exclusively.
        let guard = unsafe { located::<T>(inner, raw)?.detach_mut() };
        guard.map(ObjectRefMut).map_err(|reason| denied::<T>(inner, raw, reason.into()))
    }
}

fn located<T: Any>(inner: &StoreInner, raw: u32) -> Result<Located<T>> {
    let located = inner.gc.locate::<T>(raw);
    located.ok_or_else(|| denied::<T>(inner, raw, inner.gc.mismatch(raw)))
}

#[cold]
fn denied<T>(inner: &StoreInner, raw: u32, reason: HostRefError) -> Error {
    HostAccessError::at(&inner.gc, raw, Some(type_name::<T>()), reason).into()
}

impl<T> Deref for ObjectRef<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T> Deref for ObjectRefMut<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T> DerefMut for ObjectRefMut<T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.0
    }
}

impl<T: fmt::Debug> fmt::Debug for ObjectRef<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        T::fmt(self, f)
    }
}

impl<T: fmt::Debug> fmt::Debug for ObjectRefMut<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        T::fmt(self, f)
    }
}
