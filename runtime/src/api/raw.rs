//! Conversions between handles and the bits that Wasm sees, unchecked. Their bodies are safe; the
//! functions are not, because nothing keeps the bits from going stale.

use super::refs::{ExternRef, Rooted};
use super::store::AsContextMut;
use crate::error::Result;
use crate::gc;

impl ExternRef {
    /// The reference with these bits, rooted in the current scope; `None` for null.
    ///
    /// For use with [`Func::new_unchecked`](crate::Func::new_unchecked) and
    /// [`Func::call_unchecked`](crate::Func::call_unchecked), whose [`ValRaw`](crate::ValRaw)s hold
    /// references that nothing roots.
    ///
    /// # Safety
    ///
    /// `raw` must be a value that the same store gave out as an `externref`
    /// ([`to_raw`](ExternRef::to_raw), a parameter, a result), and the store must not have collected
    /// garbage since. Anything that enters Wasm, returns to it or leaves a
    /// [`RootScope`](crate::RootScope) may collect.
    pub unsafe fn from_raw(mut store: impl AsContextMut, raw: u32) -> Option<Rooted<ExternRef>> {
        let reference = gc::GcRef::from_raw(raw)?;
        Some(Rooted::from_gc_ref(store.as_context_mut().into_inner(), reference))
    }
}

impl<T: ?Sized + 'static> ExternRef<T> {
    /// The bits of this reference, for a [`ValRaw`](crate::ValRaw).
    ///
    /// # Errors
    ///
    /// Fails when the reference is not rooted any more or belongs to another store.
    ///
    /// # Safety
    ///
    /// The bits must be passed to the same store only, and not after it has collected garbage: see
    /// [`from_raw`](ExternRef::from_raw).
    ///
    /// ```
    /// use hostref::{ExternRef, Result, Rooted, Store};
    ///
    /// # fn main() -> Result<()> {
    /// let mut store = Store::<()>::default();
    /// let number = ExternRef::new(&mut store, 5_u8)?;
    /// // SAFETY: nothing happens to the store in between.
    /// let again = unsafe {
    ///     let raw = number.to_raw(&mut store)?;
    ///     ExternRef::from_raw(&mut store, raw).expect("references are not null")
    /// };
    /// assert!(Rooted::ref_eq(&store, &number, &again)?);
    /// # Ok(())
    /// # }
    /// ```
    pub unsafe fn to_raw(&self, mut store: impl AsContextMut) -> Result<u32> {
        Ok(self.gc_ref(store.as_context_mut().into_inner())?.to_raw())
    }
}
