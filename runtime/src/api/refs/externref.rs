//! `ExternRef`: references to host values. Making them, and reaching the value behind one.

use std::any::{Any, type_name};
use std::fmt;
use std::marker::PhantomData;

use super::sealed::GcRefImpl;
use super::target::{ExternTarget, TargetCheck, mismatched};
use super::{GcHeapOutOfMemory, HostAccessError, ManuallyRooted, Rooted, resolve};
use crate::abi::object::EXTERN_SIZE;
use crate::api::object::HostObject;
use crate::api::store::{AsContext, AsContextMut, StoreContext, StoreContextMut};
use crate::error::{Error, Result};
use crate::gc::{self, Payload, Properties, RootIndex};
use crate::instance::store::StoreInner;

/// What an [`ExternRef`] refers to when the type of the host value is not part of its own: any
/// value.
pub type HostData = dyn Any + Send + Sync;

/// A reference to a host value, for guests to hold and pass around: WebAssembly's `externref`.
///
/// A guest can neither look into it nor make one up. `ExternRef<T>` is a reference whose value is
/// known to be a `T`; `ExternRef` alone is one whose value may be of any type. Embedders have them
/// as [`Rooted<ExternRef>`](Rooted) and [`ManuallyRooted<ExternRef>`](ManuallyRooted).
///
/// The value is dropped after the collection that found no more references to it, and with the store
/// at the latest, before the store's data. Values that die together are dropped one after the other,
/// in no particular order, when the collection is done: a destructor may use other stores, give up
/// handles of its own, and panic, which surfaces from whatever let the collection run.
///
/// ```
/// use hostref::{Caller, Engine, ExternRef, Linker, Module, Result, Rooted, Store};
///
/// # fn main() -> Result<()> {
/// let engine = Engine::default();
/// let mut linker = Linker::new(&engine);
/// linker.func_wrap(
///     "host-string",
///     "concat",
///     |mut caller: Caller<'_, ()>,
///      a: Rooted<ExternRef<String>>,
///      b: Rooted<ExternRef<String>>|
///      -> Result<Rooted<ExternRef<String>>> {
///         let both = format!("{}{}", a.data(&caller)?, b.data(&caller)?);
///         ExternRef::new_typed(&mut caller, both)
///     },
/// )?;
/// let module = Module::new(
///     &engine,
///     r#"(module
///         (import "host-string" "concat"
///             (func $concat (param externref externref) (result externref)))
///         (func (export "run") (param externref externref) (result externref)
///             (call $concat (local.get 0) (local.get 1))))"#,
/// )?;
/// let mut store = Store::new(&engine, ());
/// let instance = linker.instantiate(&mut store, &module)?;
/// let run = instance.get_typed_func::<
///     (Rooted<ExternRef<String>>, Rooted<ExternRef<String>>),
///     Rooted<ExternRef<String>>,
/// >(&mut store, "run")?;
///
/// let hello = ExternRef::new_typed(&mut store, String::from("Hello, "))?;
/// let world = ExternRef::new_typed(&mut store, String::from("World!"))?;
/// let both = run.call(&mut store, (hello, world))?;
/// assert_eq!(both.data(&store)?, "Hello, World!");
/// # Ok(())
/// # }
/// ```
pub struct ExternRef<T: ?Sized = HostData> {
    index: RootIndex,
    /// Invariant, and `Send` and `Sync` whatever `T` is: this is a name, not a value.
    value: PhantomData<fn(*mut T)>,
}

/// Making references.
impl ExternRef {
    /// A new reference to `value`, rooted in the current scope.
    ///
    /// This never collects garbage. It counts what it allocates, and a collection runs when one is
    /// due and Wasm is entered or returned to, or a [`RootScope`](crate::RootScope) is left.
    ///
    /// # Errors
    ///
    /// An error of the store's [limiter](crate::Store::limiter).
    /// [`GcHeapOutOfMemory<T>`](GcHeapOutOfMemory), with the value in it, when the heap is full. A
    /// collection may make room:
    ///
    /// ```
    /// use hostref::{AsContextMut, ExternRef, GcHeapOutOfMemory, Result, RootScope, Store};
    ///
    /// # fn main() -> Result<()> {
    /// let mut store = Store::<()>::default();
    /// let mut scope = RootScope::new(&mut store);
    /// let hello = match ExternRef::new(&mut scope, "hello") {
    ///     Err(error) if error.is::<GcHeapOutOfMemory<&str>>() => {
    ///         scope.as_context_mut().gc();
    ///         let value = error.downcast::<GcHeapOutOfMemory<&str>>()?.into_inner();
    ///         ExternRef::new(&mut scope, value)?
    ///     }
    ///     result => result?,
    /// };
    /// assert_eq!(hello.data(&scope)?.downcast_ref(), Some(&"hello"));
    /// # Ok(())
    /// # }
    /// ```
    pub fn new<T>(mut context: impl AsContextMut, value: T) -> Result<Rooted<ExternRef>>
    where
        T: 'static + Any + Send + Sync,
    {
        let inner = context.as_context_mut().into_inner();
        let reference = alloc(inner, value, Properties::default())?;
        Ok(Rooted::from_gc_ref(inner, reference))
    }

    /// As [`ExternRef::new`], for a reference that says what it refers to.
    ///
    /// # Errors
    ///
    /// As [`ExternRef::new`].
    ///
    /// ```
    /// use hostref::{ExternRef, Result, Rooted, Store};
    ///
    /// # fn main() -> Result<()> {
    /// let mut store = Store::<()>::default();
    /// let counter: Rooted<ExternRef<u32>> = ExternRef::new_typed(&mut store, 0)?;
    /// *counter.data_mut(&mut store)? += 1;
    /// assert_eq!(*counter.data(&store)?, 1);
    /// # Ok(())
    /// # }
    /// ```
    pub fn new_typed<T>(context: impl AsContextMut, value: T) -> Result<Rooted<ExternRef<T>>>
    where
        T: 'static + Any + Send + Sync,
    {
        ExternRef::new_with_external_bytes(context, value, 0)
    }

    /// As [`ExternRef::new_typed`], for a value that owns `external_bytes` of memory besides its
    /// own fields.
    ///
    /// The collector cannot see that memory. Knowing of it, it collects sooner, and
    /// [`Config::host_memory_limit`](crate::Config::host_memory_limit) holds.
    ///
    /// # Errors
    ///
    /// As [`ExternRef::new`]; also when host objects would own more than the limit.
    ///
    /// ```
    /// use hostref::{ExternRef, Result, RootScope, Store};
    ///
    /// # fn main() -> Result<()> {
    /// let mut store = Store::<()>::default();
    /// for _ in 0..1000 {
    ///     let mut scope = RootScope::new(&mut store);
    ///     let image = vec![0_u8; 1 << 20];
    ///     let bytes = image.capacity();
    ///     ExternRef::new_with_external_bytes(&mut scope, image, bytes)?;
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn new_with_external_bytes<T>(
        mut context: impl AsContextMut,
        value: T,
        external_bytes: usize,
    ) -> Result<Rooted<ExternRef<T>>>
    where
        T: 'static + Any + Send + Sync,
    {
        let inner = context.as_context_mut().into_inner();
        let properties = Properties { external: external_bytes, ..Properties::default() };
        let reference = alloc(inner, value, properties)?;
        Ok(Rooted::from_gc_ref(inner, reference))
    }

    /// As [`ExternRef::new_typed`], for a type with [`#[derive(HostObject)]`](macro@crate::HostObject):
    /// the object has the properties that the derive gives. It may be frozen, count the memory that it
    /// owns, and be passed as `&dyn Trait`.
    ///
    /// # Errors
    ///
    /// As [`ExternRef::new_with_external_bytes`].
    ///
    /// ```
    /// use hostref::{ExternRef, HostObject, Result, Store};
    ///
    /// #[derive(HostObject)]
    /// #[host_object(frozen, size = Palette::bytes)]
    /// struct Palette(Vec<u32>);
    ///
    /// impl Palette {
    ///     fn bytes(&self) -> usize {
    ///         self.0.capacity() * 4
    ///     }
    /// }
    ///
    /// # fn main() -> Result<()> {
    /// let mut store = Store::<()>::default();
    /// let palette = ExternRef::object(&mut store, Palette(vec![0xff0000]))?;
    /// assert_eq!(palette.data(&store)?.0, [0xff0000]);
    /// let error = palette.data_mut(&mut store).err().unwrap();
    /// assert!(error.to_string().ends_with("`Palette` is frozen and cannot be borrowed mutably"));
    /// # Ok(())
    /// # }
    /// ```
    pub fn object<T: HostObject>(
        mut context: impl AsContextMut,
        value: T,
    ) -> Result<Rooted<ExternRef<T>>> {
        let inner = context.as_context_mut().into_inner();
        let properties = properties(&value);
        let reference = alloc(inner, value, properties)?;
        Ok(Rooted::from_gc_ref(inner, reference))
    }

    /// A new reference to `value` that belongs to no scope.
    ///
    /// # Errors
    ///
    /// As [`ExternRef::new`].
    ///
    /// ```
    /// use hostref::{ExternRef, Result, Store};
    ///
    /// # fn main() -> Result<()> {
    /// let mut store = Store::<()>::default();
    /// let kept = ExternRef::new_manually_rooted(&mut store, "kept")?;
    /// assert_eq!(kept.data(&store)?.downcast_ref(), Some(&"kept"));
    /// kept.unroot(&mut store);
    /// # Ok(())
    /// # }
    /// ```
    pub fn new_manually_rooted<T>(
        mut store: impl AsContextMut,
        value: T,
    ) -> Result<ManuallyRooted<ExternRef>>
    where
        T: 'static + Any + Send + Sync,
    {
        let inner = store.as_context_mut().into_inner();
        let reference = alloc(inner, value, Properties::default())?;
        Ok(ManuallyRooted::from_gc_ref(inner, reference))
    }
}

/// What the derive says of `value`.
pub(crate) fn properties<T: HostObject>(value: &T) -> Properties {
    let kind = Some(T::KIND);
    Properties { external: value.external_bytes(), frozen: T::FROZEN, kind }
}

/// A host object for `value`, not rooted yet. Never collects; the heap grows if it may.
#[inline]
pub(crate) fn alloc<T>(
    inner: &mut StoreInner,
    value: T,
    properties: Properties,
) -> Result<gc::GcRef>
where
    T: Any + Send + Sync,
{
    let payload = inner.gc.payload(value, properties);
    let allocated = inner.gc.alloc_host(&inner.vm.heap, payload);
    allocated.or_else(|payload| alloc_by_growing::<T>(inner, payload))
}

/// A host object for which the heap, as it is, has no room.
#[cold]
fn alloc_by_growing<T: Any + Send + Sync>(
    inner: &mut StoreInner,
    payload: Payload,
) -> Result<gc::GcRef> {
    if !inner.grow_heap(EXTERN_SIZE)? {
        return Err(out_of_memory::<T>(payload));
    }
    inner.gc.alloc_host(&inner.vm.heap, payload).map_err(out_of_memory::<T>)
}

fn out_of_memory<T: Any + Send + Sync>(payload: Payload) -> Error {
    let value = payload.into_value::<T>();
    Error::new(GcHeapOutOfMemory::new(value.expect("the payload was made of a `T` just before")))
}

/// Reaching the value, of whatever type.
impl<T: ?Sized + ExternTarget> ExternRef<T> {
    /// The value.
    ///
    /// # Errors
    ///
    /// Fails when the reference is not rooted any more or belongs to another store, when it is one
    /// to something a guest made, while a host function that has not returned borrows the value
    /// mutably, and after the value was taken.
    ///
    /// ```
    /// use hostref::{ExternRef, Result, Store};
    ///
    /// # fn main() -> Result<()> {
    /// let mut store = Store::<()>::default();
    /// let hello = ExternRef::new(&mut store, "hello")?;
    /// assert_eq!(hello.data(&store)?.downcast_ref::<&str>(), Some(&"hello"));
    /// # Ok(())
    /// # }
    /// ```
    #[inline]
    pub fn data<'a, U: 'static>(&self, store: impl Into<StoreContext<'a, U>>) -> Result<&'a T> {
        let store: StoreContext<'a, U> = store.into();
        let inner = store.inner();
        T::By::data(inner, self.gc_ref(inner)?.to_raw())
    }
}

/// Changing the value, of whatever type.
impl ExternRef {
    /// The value, for changing it.
    ///
    /// # Errors
    ///
    /// As [`data`](ExternRef::data); also while a host function that has not returned borrows the
    /// value in any way, and when the value is one that never changes.
    ///
    /// ```
    /// use hostref::{ExternRef, Result, Store};
    ///
    /// # fn main() -> Result<()> {
    /// let mut store = Store::<()>::default();
    /// let number = ExternRef::new(&mut store, 0_usize)?;
    /// if let Some(number) = number.data_mut(&mut store)?.downcast_mut::<usize>() {
    ///     *number += 10;
    /// }
    /// assert_eq!(number.data(&store)?.downcast_ref(), Some(&10_usize));
    /// # Ok(())
    /// # }
    /// ```
    pub fn data_mut<'a, T: 'static>(
        &self,
        store: impl Into<StoreContextMut<'a, T>>,
    ) -> Result<&'a mut (dyn Any + Send + Sync)> {
        let store: StoreContextMut<'a, T> = store.into();
        let inner = store.into_inner();
        let reference = self.gc_ref(inner)?;
        if let Err(reason) = inner.gc.host_data_mut(reference) {
            return Err(HostAccessError::of(&inner.gc, reference, None, reason).into());
        }
        Ok(inner.gc.host_data_mut(reference).expect("it could be borrowed just before"))
    }
}

/// Changing the value, of a known type.
impl<T: Any + Send + Sync> ExternRef<T> {
    /// The value, for changing it.
    ///
    /// # Errors
    ///
    /// As the method of the untyped [`ExternRef`].
    pub fn data_mut<'a, U: 'static>(
        &self,
        store: impl Into<StoreContextMut<'a, U>>,
    ) -> Result<&'a mut T> {
        let store: StoreContextMut<'a, U> = store.into();
        let inner = store.into_inner();
        let reference = self.gc_ref(inner)?;
        if let Err(reason) = inner.gc.host_value_mut::<T>(reference) {
            return Err(denied::<T>(inner, reference, reason));
        }
        Ok(inner.gc.host_value_mut(reference).expect("it could be borrowed just before"))
    }
}

#[cold]
fn denied<T>(inner: &StoreInner, reference: gc::GcRef, reason: gc::HostRefError) -> Error {
    HostAccessError::of(&inner.gc, reference, Some(type_name::<T>()), reason).into()
}

impl Rooted<ExternRef> {
    /// The same reference, its value known to be a `T`.
    ///
    /// # Errors
    ///
    /// Fails when it is not, naming both types; also when the reference is not rooted any more or
    /// belongs to another store.
    ///
    /// ```
    /// use hostref::{ExternRef, Result, Rooted, Store};
    ///
    /// # fn main() -> Result<()> {
    /// let mut store = Store::<()>::default();
    /// let any = ExternRef::new(&mut store, 7_u32)?;
    /// let number: Rooted<ExternRef<u32>> = any.downcast(&store)?;
    /// assert_eq!(*number.data(&store)?, 7);
    /// let error = any.downcast::<String>(&store).unwrap_err();
    /// assert_eq!(
    ///     error.to_string(),
    ///     "expected a host object of type `alloc::string::String`, found a host object of type `u32`"
    /// );
    /// # Ok(())
    /// # }
    /// ```
    pub fn downcast<T: Any + Send + Sync>(
        self,
        store: impl AsContext,
    ) -> Result<Rooted<ExternRef<T>>> {
        let store = store.as_context();
        check::<T>(store.inner(), self.gc_ref(store.inner())?)?;
        Ok(self.view())
    }
}

impl ManuallyRooted<ExternRef> {
    /// The same reference, its value known to be a `T`.
    ///
    /// # Errors
    ///
    /// As [`Rooted::downcast`]. The root ends then, as when it is dropped.
    pub fn downcast<T: Any + Send + Sync>(
        self,
        store: impl AsContext,
    ) -> Result<ManuallyRooted<ExternRef<T>>> {
        let store = store.as_context();
        check::<T>(store.inner(), self.gc_ref(store.inner())?)?;
        Ok(self.view())
    }
}

/// Whether `reference` is one to a host object of type `T`.
///
/// # Errors
///
/// Fails when it is not, naming both types.
#[inline]
pub(crate) fn check<T: Any>(inner: &StoreInner, reference: gc::GcRef) -> Result<()> {
    let raw = reference.to_raw();
    if inner.gc.is_host::<T>(raw) { Ok(()) } else { Err(mismatched::<T>(inner, raw)) }
}

impl<T: Any + Send + Sync> Rooted<ExternRef<T>> {
    /// The same reference without its type.
    pub fn to_untyped(self) -> Rooted<ExternRef> {
        self.view()
    }
}

impl<T: Any + Send + Sync> ManuallyRooted<ExternRef<T>> {
    /// The same reference without its type.
    pub fn to_untyped(self) -> ManuallyRooted<ExternRef> {
        self.view()
    }
}

impl<T: Any + Send + Sync> From<Rooted<ExternRef<T>>> for Rooted<ExternRef> {
    fn from(typed: Rooted<ExternRef<T>>) -> Self {
        typed.to_untyped()
    }
}

impl<T: Any + Send + Sync> From<ManuallyRooted<ExternRef<T>>> for ManuallyRooted<ExternRef> {
    fn from(typed: ManuallyRooted<ExternRef<T>>) -> Self {
        typed.to_untyped()
    }
}

impl<T: ?Sized + 'static> ExternRef<T> {
    /// The reference itself, good until the next collection.
    ///
    /// # Errors
    ///
    /// Fails when it is not rooted any more or belongs to another store.
    #[inline]
    pub(in crate::api) fn gc_ref(&self, inner: &StoreInner) -> Result<gc::GcRef> {
        resolve(inner, self.index)
    }
}

impl<T: ?Sized + 'static> GcRefImpl for ExternRef<T> {
    #[inline]
    fn from_index(index: RootIndex) -> Self {
        ExternRef { index, value: PhantomData }
    }

    #[inline]
    fn index(&self) -> RootIndex {
        self.index
    }
}

impl<T: ?Sized> Clone for ExternRef<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T: ?Sized> Copy for ExternRef<T> {}

impl<T: ?Sized> fmt::Debug for ExternRef<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ExternRef<{}>({:?})", type_name::<T>(), self.index)
    }
}
