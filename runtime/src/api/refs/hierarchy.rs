//! The hierarchy of `any`: which kinds of references are kinds of which others, and casts of handles up
//! and down, once for all of them.

use anyhow::ensure;

use super::{
    AnyArray, AnyRef, AnyStruct, ArrayRef, EqRef, GcRef, ManuallyRooted, Rooted, StructRef,
};
use crate::api::gc_object::{GcArray, GcStruct, GcTypeKey};
use crate::api::signature::names::{Defined, Heap, heap};
use crate::api::store::AsContext;
use crate::api::types::HeapType;
use crate::error::Result;
use crate::gc;
use crate::instance::store::StoreInner;

/// The kinds of references of the hierarchy of `any`: [`AnyRef`], [`EqRef`], [`StructRef`] and
/// [`ArrayRef`].
///
/// The trait is sealed.
pub trait AnyKind: GcRef + sealed::InAny {}

/// The kinds of references that are kinds of [`EqRef`]: that itself, [`StructRef`] and [`ArrayRef`].
///
/// The trait is sealed.
pub trait EqKind: AnyKind {}

impl AnyKind for AnyRef {}
impl AnyKind for EqRef {}
impl<T: ?Sized + StructKind> AnyKind for StructRef<T> {}
impl<T: ?Sized + ArrayKind> AnyKind for ArrayRef<T> {}
impl EqKind for EqRef {}
impl<T: ?Sized + StructKind> EqKind for StructRef<T> {}
impl<T: ?Sized + ArrayKind> EqKind for ArrayRef<T> {}

/// What a [`StructRef`] may lead to: a struct of any type, or of the type that `Self` defines.
///
/// The trait is sealed.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no struct type",
    label = "not a struct of a guest",
    note = "put `#[derive(GcStruct)]` on it"
)]
pub trait StructKind: sealed::StructKind + 'static {
    /// The type, for traits to compare.
    #[doc(hidden)]
    type Heap: Heap;

    /// What stands for the type that `Self` defines.
    #[doc(hidden)]
    fn key() -> Option<&'static GcTypeKey>;
}

/// What an [`ArrayRef`] may lead to: an array of any type, or of the type that `Self` defines.
///
/// The trait is sealed.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no array type",
    label = "not an array of a guest",
    note = "put `#[derive(GcArray)]` on it"
)]
pub trait ArrayKind: sealed::ArrayKind + 'static {
    /// The type, for traits to compare.
    #[doc(hidden)]
    type Heap: Heap;

    /// What stands for the type that `Self` defines.
    #[doc(hidden)]
    fn key() -> Option<&'static GcTypeKey>;
}

impl StructKind for AnyStruct {
    type Heap = heap::Struct;

    fn key() -> Option<&'static GcTypeKey> {
        None
    }
}

#[diagnostic::do_not_recommend]
impl<T: GcStruct> StructKind for T {
    type Heap = Defined<T>;

    fn key() -> Option<&'static GcTypeKey> {
        Some(GcTypeKey::of::<T>())
    }
}

impl ArrayKind for AnyArray {
    type Heap = heap::Array;

    fn key() -> Option<&'static GcTypeKey> {
        None
    }
}

#[diagnostic::do_not_recommend]
impl<T: GcArray> ArrayKind for T {
    type Heap = Defined<T>;

    fn key() -> Option<&'static GcTypeKey> {
        Some(GcTypeKey::of::<T>())
    }
}

mod sealed {
    use super::{
        AnyArray, AnyRef, AnyStruct, ArrayRef, EqRef, GcArray, GcStruct, GcTypeKey, HeapType,
        StructRef,
    };

    pub trait StructKind {}
    impl StructKind for AnyStruct {}
    #[diagnostic::do_not_recommend]
    impl<T: GcStruct> StructKind for T {}

    pub trait ArrayKind {}
    impl ArrayKind for AnyArray {}
    #[diagnostic::do_not_recommend]
    impl<T: GcArray> ArrayKind for T {}

    /// A kind of references that has a type of its own.
    pub trait InAny {
        /// The most general type of such references, as far as that is known without an engine.
        #[doc(hidden)]
        const HEAP: HeapType;

        /// What stands for the type that they have instead, if a Rust type defines it.
        #[doc(hidden)]
        fn key() -> Option<&'static GcTypeKey> {
            None
        }
    }

    impl InAny for AnyRef {
        const HEAP: HeapType = HeapType::Any;
    }

    impl InAny for EqRef {
        const HEAP: HeapType = HeapType::Eq;
    }

    impl<T: ?Sized + super::StructKind> InAny for StructRef<T> {
        const HEAP: HeapType = HeapType::Struct;

        fn key() -> Option<&'static GcTypeKey> {
            T::key()
        }
    }

    impl<T: ?Sized + super::ArrayKind> InAny for ArrayRef<T> {
        const HEAP: HeapType = HeapType::Array;

        fn key() -> Option<&'static GcTypeKey> {
            T::key()
        }
    }
}

/// Fails unless `reference` leads to a `U`.
fn check<U: AnyKind>(inner: &StoreInner, reference: gc::GcRef) -> Result<()> {
    let engine = &inner.engine_handle;
    let wanted = U::key().map_or(U::HEAP.to_wasm(), |key| key.heap_type(engine));
    let name = |heap| HeapType::from_wasm(engine, heap);
    ensure!(
        inner.is_of_type(reference, wanted),
        "expected a reference to `{}`, found one to `{}`",
        name(wanted),
        name(inner.heap_type_of(reference))
    );
    Ok(())
}

impl<T: EqKind> Rooted<T> {
    /// The same root as an [`AnyRef`].
    pub fn to_anyref(self) -> Rooted<AnyRef> {
        self.view()
    }

    /// The same root as an [`EqRef`].
    pub fn to_eqref(self) -> Rooted<EqRef> {
        self.view()
    }
}

impl<T: EqKind> ManuallyRooted<T> {
    /// The same root as an [`AnyRef`].
    pub fn to_anyref(self) -> ManuallyRooted<AnyRef> {
        self.view()
    }

    /// The same root as an [`EqRef`].
    pub fn to_eqref(self) -> ManuallyRooted<EqRef> {
        self.view()
    }
}

macro_rules! untyped {
    ($($handle:ident)*) => {$(
        impl<T: ?Sized + StructKind> $handle<StructRef<T>> {
            /// The same root as one of a struct of any type.
            pub fn to_structref(self) -> $handle<StructRef> {
                self.view()
            }
        }

        impl<T: ?Sized + ArrayKind> $handle<ArrayRef<T>> {
            /// The same root as one of an array of any type.
            pub fn to_arrayref(self) -> $handle<ArrayRef> {
                self.view()
            }
        }
    )*};
}

untyped! { Rooted ManuallyRooted }

impl<T: AnyKind> Rooted<T> {
    /// The same root as a reference of another kind of the hierarchy.
    ///
    /// ```
    /// use hostref::{AnyRef, EqRef, I31, Result, Rooted, Store, StructRef};
    ///
    /// # fn main() -> Result<()> {
    /// let mut store = Store::<()>::default();
    /// let five = AnyRef::from_i31(&mut store, I31::wrapping_u32(5));
    /// let five: Rooted<EqRef> = five.downcast(&store)?;
    /// let error = five.downcast::<StructRef>(&store).unwrap_err();
    /// assert_eq!(error.to_string(), "expected a reference to `struct`, found one to `i31`");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// If it leads to something else, naming both types; if it is not rooted any more or belongs to
    /// another store.
    pub fn downcast<U: AnyKind>(self, store: impl AsContext) -> Result<Rooted<U>> {
        let inner = store.as_context().inner();
        check::<U>(inner, self.gc_ref(inner)?)?;
        Ok(self.view())
    }
}

impl<T: AnyKind> ManuallyRooted<T> {
    /// The same root as a reference of another kind of the hierarchy.
    ///
    /// # Errors
    ///
    /// As [`Rooted::downcast`]. The root ends then, as when it is dropped.
    pub fn downcast<U: AnyKind>(self, store: impl AsContext) -> Result<ManuallyRooted<U>> {
        let inner = store.as_context().inner();
        check::<U>(inner, self.gc_ref(inner)?)?;
        Ok(self.view())
    }
}

macro_rules! upcasts {
    ($($handle:ident)*) => {$(
        impl<T: EqKind> From<$handle<T>> for $handle<AnyRef> {
            fn from(reference: $handle<T>) -> Self {
                reference.to_anyref()
            }
        }

        impl<T: ?Sized + StructKind> From<$handle<StructRef<T>>> for $handle<EqRef> {
            fn from(reference: $handle<StructRef<T>>) -> Self {
                reference.to_eqref()
            }
        }

        impl<T: ?Sized + ArrayKind> From<$handle<ArrayRef<T>>> for $handle<EqRef> {
            fn from(reference: $handle<ArrayRef<T>>) -> Self {
                reference.to_eqref()
            }
        }
    )*};
}

upcasts! { Rooted ManuallyRooted }
