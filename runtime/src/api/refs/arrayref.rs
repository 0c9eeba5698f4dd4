//! `ArrayRef`: references to arrays. Making them, and reading and writing their elements, one by one and
//! many at once.

use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use anyhow::{Context as _, ensure};

use super::eqref::{EqRef, typed_eq_ref};
use super::parts::{Part, Parts};
use super::sealed::GcRefImpl;
use super::structref::type_id;
use super::{GcHeapOutOfMemory, Rooted};
use crate::api::engine::Engine;
use crate::api::gc_field::{GcField, GcNumber, check_elements};
use crate::api::gc_types::ArrayType;
use crate::api::store::{AsContext, AsContextMut, StoreContextMut};
use crate::api::value::Val;
use crate::error::Result;
use crate::gc::{self, Elements, RootIndex};
use crate::instance::object_types::ObjectType;
use crate::instance::store::StoreInner;

/// A reference to an array: WebAssembly's `arrayref`. It has the methods of [`AnyRef`](crate::AnyRef)
/// as well.
///
/// ```
/// use hostref::{ArrayRef, ArrayRefPre, ArrayType, Engine, FieldType, Mutability, Result, Store};
/// use hostref::{StorageType, Val};
///
/// # fn main() -> Result<()> {
/// let engine = Engine::default();
/// let mut store = Store::new(&engine, ());
/// let bytes = ArrayType::new(&engine, FieldType::new(Mutability::Var, StorageType::I8));
/// let allocator = ArrayRefPre::new(&mut store, bytes);
/// let text = ArrayRef::new_from_slice(&mut store, &allocator, b"hello")?;
/// text.set(&mut store, 0, Val::I32(b'y'.into()))?;
/// let mut copy = [0; 5];
/// text.copy_to_slice(&store, 0, &mut copy)?;
/// assert_eq!(&copy, b"yello");
/// # Ok(())
/// # }
/// ```
///
/// `ArrayRef<T>` is one to an array of the type that the Rust type `T` defines, `ArrayRef` alone one to an
/// array of any type.
pub struct ArrayRef<T: ?Sized = AnyArray> {
    eq: EqRef,
    ty: PhantomData<fn(*mut T)>,
}

/// What an [`ArrayRef`] refers to when its type is no type of Rust: an array of any type.
#[derive(Clone, Copy, Debug)]
pub enum AnyArray {}

/// Makes arrays of one type. What can be checked of the type is checked once.
///
/// It serves every store of the type's engine.
#[derive(Clone)]
pub struct ArrayRefPre {
    engine: Engine,
    ty: Arc<ObjectType>,
}

impl ArrayRefPre {
    /// For arrays of type `ty`.
    pub fn new(_store: impl AsContextMut, ty: ArrayType) -> ArrayRefPre {
        let engine = ty.engine().clone();
        ArrayRefPre { ty: engine.shared().object_type(ty.id()), engine }
    }

    /// The type of the arrays.
    pub fn ty(&self) -> ArrayType {
        ArrayType::from_id(&self.engine, self.ty.id)
    }

    /// An array of zeros or nulls, `len` of them.
    fn alloc(&self, inner: &mut StoreInner, len: usize) -> Result<gc::GcRef> {
        let same = Arc::ptr_eq(self.engine.shared(), &inner.engine);
        ensure!(same, "the type of the array belongs to another engine than the store's");
        let len = u32::try_from(len).map_err(|_| GcHeapOutOfMemory::error())?;
        inner.host_array(&self.ty, len)?.ok_or_else(GcHeapOutOfMemory::error)
    }
}

impl fmt::Debug for ArrayRefPre {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ArrayRefPre").field(&self.ty()).finish()
    }
}

/// Making arrays.
impl ArrayRef {
    /// A new array of `len` elements that are all `elem`, rooted in the current scope. Never collects, as
    /// [`ExternRef::new`](crate::ExternRef::new).
    ///
    /// # Errors
    ///
    /// If `elem` is not of the type of the elements, is not rooted any more or belongs to another store,
    /// or the type belongs to another engine; [`GcHeapOutOfMemory<()>`](GcHeapOutOfMemory) when the
    /// heap is full; an error of the store's [limiter](crate::Store::limiter).
    pub fn new(
        mut store: impl AsContextMut,
        allocator: &ArrayRefPre,
        elem: &Val,
        len: u32,
    ) -> Result<Rooted<ArrayRef>> {
        let inner = store.as_context_mut().into_inner();
        let array = allocator.alloc(inner, len as usize)?;
        let bits = Part::element(array, &allocator.ty, 0).lower(inner, elem).context("element")?;
        if bits != 0 {
            let all = inner.gc.elements(array, 0, len).expect("the array has so many elements");
            inner.gc.fill(all, bits);
        }
        Ok(Rooted::from_gc_ref(inner, array))
    }

    /// A new array with these elements, rooted in the current scope. Never collects, as
    /// [`ExternRef::new`](crate::ExternRef::new).
    ///
    /// # Errors
    ///
    /// As [`new`](ArrayRef::new).
    pub fn new_fixed(
        mut store: impl AsContextMut,
        allocator: &ArrayRefPre,
        elems: &[Val],
    ) -> Result<Rooted<ArrayRef>> {
        let inner = store.as_context_mut().into_inner();
        let array = allocator.alloc(inner, elems.len())?;
        for (index, elem) in (0..).zip(elems) {
            let stored = Part::element(array, &allocator.ty, index).store(inner, elem);
            stored.with_context(|| format!("element {index}"))?;
        }
        Ok(Rooted::from_gc_ref(inner, array))
    }

    /// A new array with a copy of these numbers, rooted in the current scope: bytes for elements of type
    /// `i8`, and so on. Never collects, as [`ExternRef::new`](crate::ExternRef::new).
    ///
    /// # Errors
    ///
    /// As [`new`](ArrayRef::new).
    pub fn new_from_slice<E: GcNumber>(
        mut store: impl AsContextMut,
        allocator: &ArrayRefPre,
        elems: &[E],
    ) -> Result<Rooted<ArrayRef>> {
        let inner = store.as_context_mut().into_inner();
        check_elements::<E>(inner, allocator.ty.element())?;
        let array = allocator.alloc(inner, elems.len())?;
        let all = inner.gc.elements(array, 0, elems.len() as u32);
        E::write_all(elems, inner.gc.bytes_mut(all.expect("the array has so many elements")));
        Ok(Rooted::from_gc_ref(inner, array))
    }
}

/// Looking at arrays, and changing them.
impl<T: ?Sized + 'static> ArrayRef<T> {
    /// The type of the array.
    ///
    /// # Errors
    ///
    /// If the reference is not rooted any more or belongs to another store.
    pub fn ty(&self, store: impl AsContext) -> Result<ArrayType> {
        let store = store.as_context();
        let array = self.gc_ref(store.inner())?;
        Ok(ArrayType::from_id(store.engine(), type_id(store.inner(), array)))
    }

    /// Whether the array is of type `ty`.
    ///
    /// # Errors
    ///
    /// As [`ty`](ArrayRef::ty).
    pub fn matches_ty(&self, store: impl AsContext, ty: &ArrayType) -> Result<bool> {
        Ok(self.ty(store)?.matches(ty))
    }

    /// The number of elements.
    ///
    /// # Errors
    ///
    /// As [`ty`](ArrayRef::ty).
    pub fn len(&self, store: impl AsContext) -> Result<u32> {
        let inner = store.as_context().inner();
        Ok(inner.gc.array_len(self.gc_ref(inner)?))
    }

    /// Whether there are no elements.
    ///
    /// # Errors
    ///
    /// As [`ty`](ArrayRef::ty).
    pub fn is_empty(&self, store: impl AsContext) -> Result<bool> {
        Ok(self.len(store)? == 0)
    }

    /// The element at `index`; a reference is rooted in the current scope. Integers of 8 and 16 bits are
    /// extended with zeros.
    ///
    /// # Errors
    ///
    /// As [`ty`](ArrayRef::ty), and if the array has fewer elements.
    pub fn get(&self, mut store: impl AsContextMut, index: u32) -> Result<Val> {
        let inner = store.as_context_mut().into_inner();
        Ok(self.part(inner, index)?.load(inner))
    }

    /// The elements; references are rooted in the current scope.
    ///
    /// # Errors
    ///
    /// As [`ty`](ArrayRef::ty).
    pub fn elems<'a, U: 'static>(
        &self,
        store: impl Into<StoreContextMut<'a, U>>,
    ) -> Result<impl ExactSizeIterator<Item = Val> + 'a> {
        let mut store: StoreContextMut<'a, U> = store.into();
        let inner = store.inner_mut();
        let object = self.gc_ref(inner)?;
        let len = inner.gc.array_len(object);
        let ty = inner.object_type(type_id(inner, object)).clone();
        Ok(Parts { store, range: 0..len, part: move |index| Part::element(object, &ty, index) })
    }

    /// Replaces the element at `index`. Of an element of 8 or 16 bits the lowest bits of an `i32`.
    ///
    /// # Errors
    ///
    /// As [`ty`](ArrayRef::ty); if the array has fewer elements, they are immutable, or the value is not
    /// of their type, is not rooted any more or belongs to another store.
    pub fn set(&self, mut store: impl AsContextMut, index: u32, value: Val) -> Result<()> {
        let inner = store.as_context_mut().into_inner();
        let element = self.part(inner, index)?;
        element
            .replace(|part| part.store(inner, &value))
            .with_context(|| format!("element {index}"))
    }

    /// As [`get`](ArrayRef::get), as a value of a Rust type: `i8` and `u8` for elements of 8 bits, and so
    /// on.
    ///
    /// # Errors
    ///
    /// As [`get`](ArrayRef::get); if the elements are of another type; if it is null and `F` has no null.
    #[inline]
    pub fn get_typed<F: GcField>(&self, mut store: impl AsContextMut, index: u32) -> Result<F> {
        let inner = store.as_context_mut().into_inner();
        let element = self.part(inner, index)?;
        F::load_part(inner, element).with_context(|| format!("element {index}"))
    }

    /// As [`set`](ArrayRef::set), with a value of a Rust type.
    ///
    /// # Errors
    ///
    /// As [`set`](ArrayRef::set).
    #[inline]
    pub fn set_typed<F: GcField>(
        &self,
        mut store: impl AsContextMut,
        index: u32,
        value: F,
    ) -> Result<()> {
        let inner = store.as_context_mut().into_inner();
        let element = self.part(inner, index)?;
        element
            .replace(|part| value.store_part(inner, part))
            .with_context(|| format!("element {index}"))
    }

    /// Copies as many elements as `to` has room for, from the one at `start` on, out of an array of
    /// numbers: into bytes from elements of type `i8`, and so on.
    ///
    /// # Errors
    ///
    /// As [`ty`](ArrayRef::ty); if the elements are of another type or there are fewer.
    pub fn copy_to_slice<E: GcNumber>(
        &self,
        store: impl AsContext,
        start: u32,
        to: &mut [E],
    ) -> Result<()> {
        let store = store.as_context();
        let inner = store.inner();
        let array = self.gc_ref(inner)?;
        let element = inner.engine.types().array_element(type_id(inner, array));
        check_elements::<E>(inner, element)?;
        let from = elements(inner, array, start, to.len())?;
        E::read_all(to, inner.gc.bytes(from));
        Ok(())
    }

    /// Replaces as many elements as `from` has, from the one at `start` on, in an array of numbers: by
    /// bytes in elements of type `i8`, and so on.
    ///
    /// # Errors
    ///
    /// As [`copy_to_slice`](ArrayRef::copy_to_slice); if the elements are immutable. Nothing is written
    /// then.
    pub fn copy_from_slice<E: GcNumber>(
        &self,
        mut store: impl AsContextMut,
        start: u32,
        from: &[E],
    ) -> Result<()> {
        let inner = store.as_context_mut().into_inner();
        let array = self.gc_ref(inner)?;
        let ty = type_id(inner, array);
        let element = inner.object_type(ty).element();
        check_elements::<E>(inner, element)?;
        ensure!(element.mutable, "the elements are immutable");
        let to = elements(inner, array, start, from.len())?;
        E::write_all(from, inner.gc.bytes_mut(to));
        Ok(())
    }

    #[inline]
    fn part(&self, inner: &mut StoreInner, index: u32) -> Result<Part> {
        let array = self.gc_ref(inner)?;
        let len = inner.gc.array_len(array);
        ensure!(index < len, "the array has {len} elements, and no element {index}");
        let ty = type_id(inner, array);
        Ok(Part::element(array, inner.object_type(ty), index))
    }
}

/// `len` elements of `array` from the one at `start` on.
fn elements(inner: &StoreInner, array: gc::GcRef, start: u32, len: usize) -> Result<Elements> {
    let found = u32::try_from(len).ok().and_then(|len| inner.gc.elements(array, start, len));
    found.with_context(|| {
        let all = inner.gc.array_len(array);
        format!("the array has {all} elements, and not {len} from element {start} on")
    })
}

typed_eq_ref!(ArrayRef);
