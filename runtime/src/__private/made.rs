//! New host objects: their properties, and room for them.
//!
//! A generic function cannot see whether a type derives `HostObject`; generated code can, at each
//! result's concrete type. It walks over a [`FreshList`] of a function's result types and leaves a
//! [`Maker`] for each.

use std::any::{Any, type_name};
use std::fmt;
use std::marker::PhantomData;

use crate::abi::object::EXTERN_SIZE;
use crate::api::object::HostObject;
use crate::api::refs::{ExternRef, Rooted, externref};
use crate::error::Result;
use crate::gc::{GcRef, HostData, Payload, Properties, Why};
use crate::instance::store::StoreInner;

/// Where the type of a new object stands.
#[derive(Debug)]
pub struct Fresh<T>(PhantomData<fn() -> T>);

/// Where no new object stands.
#[derive(Debug)]
pub struct NotFresh;

/// The reference to a new object.
pub type NewRef<T> = Rooted<ExternRef<T>>;

/// How the object in one result is made.
#[doc(hidden)]
#[derive(Clone, Copy)]
pub struct Maker(Option<&'static HostData>);

/// The properties of a derived type's objects.
struct Derived<T>(fn(&T) -> Properties);

impl Maker {
    /// A plain object.
    const PLAIN: Maker = Maker(None);

    /// The properties of a new object.
    #[inline]
    pub(super) fn properties<T: Any>(self, value: &T) -> Properties {
        match self.0 {
            None => Properties::default(),
            Some(derived) => {
                let derived = derived.downcast_ref::<Derived<T>>();
                (derived.expect("a maker stands at the position of its type").0)(value)
            }
        }
    }
}

impl fmt::Debug for Maker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "Derived" } else { "Plain" })
    }
}

/// The makers of all results of a function.
#[doc(hidden)]
#[derive(Clone, Copy, Debug)]
pub struct Makers([Maker; 16]);

impl Makers {
    /// Plain objects.
    pub const PLAIN: Makers = Makers([Maker::PLAIN; 16]);

    #[inline]
    pub(super) fn at(&self, position: usize) -> Maker {
        self.0[position]
    }
}

/// The result types that are still to be looked at.
pub struct FreshList<L> {
    makers: Makers,
    at: usize,
    _types: PhantomData<fn() -> L>,
}

impl<L> fmt::Debug for FreshList<L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("FreshList").field(&self.at).finish()
    }
}

impl<L> FreshList<L> {
    pub(super) fn new() -> FreshList<L> {
        FreshList { makers: Makers::PLAIN, at: 0, _types: PhantomData }
    }

    fn go_on<R>(mut self, maker: Maker) -> FreshList<R> {
        self.makers.0[self.at] = maker;
        FreshList { makers: self.makers, at: self.at + 1, _types: PhantomData }
    }
}

impl FreshList<()> {
    /// Nothing is left to look at.
    pub fn next(self) -> FreshList<()> {
        self
    }

    /// What was found.
    pub fn makers(self) -> Makers {
        self.makers
    }
}

impl<T: HostObject, Rest> FreshList<(Fresh<T>, Rest)> {
    /// Objects of a type that derives `HostObject`.
    pub fn next(self) -> FreshList<Rest> {
        self.go_on(Maker(Some(const { &Derived::<T>(externref::properties::<T>) })))
    }
}

/// Goes over a result type that says nothing.
pub trait Next {
    /// The rest.
    type Rest;

    /// Plain objects, or none.
    fn next(self) -> FreshList<Self::Rest>;
}

impl<First, Rest> Next for FreshList<(First, Rest)> {
    type Rest = Rest;

    fn next(self) -> FreshList<Rest> {
        self.go_on(Maker::PLAIN)
    }
}

/// A rooted host object with `value` in it.
pub(super) fn prepare_new<T: Any + Send + Sync>(
    value: T,
    store: &mut StoreInner,
    maker: Maker,
) -> Result<Rooted<ExternRef<T>>> {
    let properties = maker.properties(&value);
    let object = allocate(store, value, properties)?;
    Ok(Rooted::from_gc_ref(store, object))
}

/// A rooted host object with `value` in it, for generated code.
///
/// # Errors
///
/// If there is no room.
pub fn prepare_object<T: HostObject>(value: T, store: &mut StoreInner) -> Result<NewRef<T>> {
    let properties = externref::properties(&value);
    let object = allocate(store, value, properties)?;
    Ok(Rooted::from_gc_ref(store, object))
}

/// The reference to a host object with `value` in it, for generated code.
///
/// # Errors
///
/// If there is no room.
pub fn lower_object<T: HostObject>(value: T, store: &mut StoreInner) -> Result<i32> {
    let properties = externref::properties(&value);
    Ok(allocate(store, value, properties)?.to_raw() as i32)
}

/// A host object for `value`, not rooted yet. A safepoint; collects once when the heap is full.
#[inline]
pub(super) fn allocate<T: Any + Send + Sync>(
    store: &mut StoreInner,
    value: T,
    properties: Properties,
) -> Result<GcRef> {
    store.safepoint();
    let payload = store.gc.payload(value, properties);
    let allocated = store.gc.alloc_host(&store.vm.heap, payload);
    allocated.or_else(|payload| allocate_again(store, payload, type_name::<T>()))
}

#[cold]
fn allocate_again(store: &mut StoreInner, payload: Payload, name: &'static str) -> Result<GcRef> {
    store.collect(Why::Due);
    let payload = match store.gc.alloc_host(&store.vm.heap, payload) {
        Ok(object) => return Ok(object),
        Err(payload) => payload,
    };
    if !store.grow_heap(EXTERN_SIZE)? {
        store.collect(Why::Due);
    }
    // The value has nowhere to go; an error that outlives the store should not carry it.
    let allocated = store.gc.alloc_host(&store.vm.heap, payload);
    allocated.map_err(|_| NoRoom { name }.into())
}

/// A host function's new object found no room.
#[derive(Debug)]
struct NoRoom {
    name: &'static str,
}

impl fmt::Display for NoRoom {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no room for a new `{}`, even after a collection", self.name)
    }
}

impl std::error::Error for NoRoom {}

/// The makers of the result with this marker. A macro, for a function would not know the types.
#[doc(hidden)]
#[macro_export]
macro_rules! __makers {
    ($result:expr) => {
        $result
            .fresh()
            .next()
            .next()
            .next()
            .next()
            .next()
            .next()
            .next()
            .next()
            .next()
            .next()
            .next()
            .next()
            .next()
            .next()
            .next()
            .next()
            .makers()
    };
}
