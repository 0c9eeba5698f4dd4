//! `EqRef`: references to what can be compared.

use std::fmt;
use std::ops::Deref;

use super::sealed::GcRefImpl;
use super::{AnyRef, I31, Rooted};
use crate::api::store::AsContextMut;
use crate::gc::RootIndex;

/// A reference of WebAssembly's `eqref`: to a struct, an array or an `i31`. It has the methods of
/// [`AnyRef`].
///
/// ```
/// use hostref::{EqRef, HeapType, I31, Result, Rooted, Store};
///
/// # fn main() -> Result<()> {
/// let mut store = Store::<()>::default();
/// let five = EqRef::from_i31(&mut store, I31::wrapping_u32(5));
/// assert_eq!(five.ty(&store)?, HeapType::I31);
/// assert_eq!(five.unwrap_i31(&store)?.get_u32(), 5);
/// let again = EqRef::from_i31(&mut store, I31::wrapping_u32(5)).to_anyref();
/// assert!(Rooted::ref_eq(&store, &five, &again)?);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy)]
pub struct EqRef {
    any: AnyRef,
}

impl EqRef {
    /// A reference that holds `value`, rooted in the current scope.
    pub fn from_i31(mut store: impl AsContextMut, value: I31) -> Rooted<EqRef> {
        Rooted::from_gc_ref(store.as_context_mut().into_inner(), value.to_gc_ref())
    }
}

impl Deref for EqRef {
    type Target = AnyRef;

    fn deref(&self) -> &AnyRef {
        &self.any
    }
}

impl GcRefImpl for EqRef {
    fn from_index(index: RootIndex) -> EqRef {
        EqRef { any: AnyRef::from_index(index) }
    }

    fn index(&self) -> RootIndex {
        self.any.index()
    }
}

impl fmt::Debug for EqRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EqRef({:?})", self.index())
    }
}

/// Makes `$Handle<T>`, whose fields are `eq: EqRef` and `ty`, a handle that is an [`EqRef`] and tells by `T`
/// what it leads to.
macro_rules! typed_eq_ref {
    ($Handle:ident) => {
        impl<T: ?Sized> std::ops::Deref for $Handle<T> {
            type Target = EqRef;

            fn deref(&self) -> &EqRef {
                &self.eq
            }
        }

        impl<T: ?Sized + 'static> GcRefImpl for $Handle<T> {
            fn from_index(index: RootIndex) -> Self {
                $Handle { eq: EqRef::from_index(index), ty: PhantomData }
            }

            fn index(&self) -> RootIndex {
                self.eq.index()
            }
        }

        impl<T: ?Sized> Clone for $Handle<T> {
            fn clone(&self) -> Self {
                *self
            }
        }

        impl<T: ?Sized> Copy for $Handle<T> {}

        impl<T: ?Sized> fmt::Debug for $Handle<T> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let (handle, ty) = (stringify!($Handle), std::any::type_name::<T>());
                write!(f, "{handle}<{ty}>({:?})", self.eq.index())
            }
        }
    };
}
pub(super) use typed_eq_ref;
