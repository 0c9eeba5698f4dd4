//! Host objects as arguments: borrowed, moved out, or seen as a trait object; required, or null where
//! an `Option` allows it.

use std::any::{Any, type_name};
use std::marker::PhantomData;

use super::call::{Arg, CallContext, Conversion, Refusal, markers, taken};
use super::memory::Width;
use crate::api::engine::Engine;
use crate::api::refs::HostAccessError;
use crate::api::types::{HeapType, RefType, ValType};
use crate::error::Result;
use crate::gc::{
    BorrowError, BorrowSite, Borrowed, BorrowedAny, BorrowedMut, CastFn, HostRefError, Located,
    LocatedAny,
};
use crate::instance::store::StoreInner;

/// A host object that is moved out of the store, for its method to own.
///
/// As a parameter of a [`#[host_module]`](crate::host_module) function it takes the object away from
/// the guest: whoever uses the reference later gets an error that says who took it.
///
/// ```
/// use hostref::{Engine, Linker, Module, New, Result, Store, Take, host_module};
///
/// struct Builder(Vec<i32>);
///
/// struct Sum(i32);
///
/// #[host_module(name = "builder", receiver = "object")]
/// impl Builder {
///     fn new() -> New<Builder> {
///         New(Builder(Vec::new()))
///     }
///
///     fn add(&mut self, number: i32) {
///         self.0.push(number);
///     }
///
///     fn finish(builder: Take<Builder>) -> New<Sum> {
///         New(Sum(builder.0.0.into_iter().sum()))
///     }
/// }
///
/// # fn main() -> Result<()> {
/// let engine = Engine::default();
/// let module = Module::new(&engine, r#"
///     (module
///         (import "builder" "new" (func $new (result externref)))
///         (import "builder" "finish" (func $finish (param externref) (result externref)))
///         (func (export "run") (local $b externref)
///             (local.set $b (call $new))
///             (drop (call $finish (local.get $b)))
///             (drop (call $finish (local.get $b)))))
/// "#)?;
/// let mut linker = Linker::new(&engine);
/// Builder::add_to_linker(&mut linker)?;
/// let mut store = Store::new(&engine, ());
/// let instance = linker.instantiate(&mut store, &module)?;
/// let run = instance.get_typed_func::<(), ()>(&mut store, "run")?;
/// let error = run.call(&mut store, ()).unwrap_err();
/// assert!(error.root_cause().to_string().contains("was already taken by parameter `builder`"));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Take<T>(pub T);

/// A host object as an argument, not null.
pub trait ObjectArg: Copy + 'static {
    /// The object after it was found.
    type Found;
    /// The object after borrowing.
    type Held;
    /// What the method gets.
    type Out<'g>;

    /// Finds the object. Collects nothing.
    #[doc(hidden)]
    fn find(store: &StoreInner, raw: u32) -> Result<Self::Found, Refusal>;

    /// Borrows the object as `site`.
    ///
    /// # Safety
    ///
    /// Nothing may have been collected since `find`, and the result must be dropped before the store
    /// is.
    #[doc(hidden)]
    unsafe fn hold(found: Self::Found, site: &'static BorrowSite) -> Result<Self::Held, Refusal>;

    /// The argument for the method.
    #[doc(hidden)]
    fn out(held: &mut Self::Held) -> Self::Out<'_>;
}

markers! {
    /// `&T`.
    Shared<T>;
    /// `&mut T`.
    Exclusive<T>;
    /// `Take<T>`.
    Taking<T>;
    /// `&dyn Trait`.
    Dynamic<T: ?Sized>;
    /// An object that may not be null.
    Required<A>;
    /// An `Option` of an object, `None` for null.
    Optional<A>;
}

/// A host value that is not borrowed yet.
#[doc(hidden)]
pub struct Found<T>(Located<T>);

/// A host value borrowed for a `&T`.
#[doc(hidden)]
pub struct SharedGuard<T>(Borrowed<T>);

/// A host value borrowed for a `&mut T`, or to be moved out.
#[doc(hidden)]
pub struct ExclusiveGuard<T>(BorrowedMut<T>);

/// A host value that is not borrowed yet, with the way to see it as a `T`.
#[doc(hidden)]
pub struct FoundDyn<T: ?Sized + 'static>(LocatedAny, CastFn<T>);

/// A host value borrowed for a `&dyn Trait`.
#[doc(hidden)]
pub struct DynGuard<T: ?Sized + 'static>(BorrowedAny, CastFn<T>);

#[inline]
fn locate<T: Any>(store: &StoreInner, raw: u32) -> Result<Found<T>, Refusal> {
    match store.gc.locate(raw) {
        Some(located) => Ok(Found(located)),
        None => Err(not_found::<T>(store, raw)),
    }
}

#[cold]
#[inline(never)]
fn not_found<T: Any>(store: &StoreInner, raw: u32) -> Refusal {
    refused::<T>(store.gc.mismatch(raw))
}

#[cold]
fn refused<T: ?Sized>(reason: HostRefError) -> Refusal {
    let name = Some(type_name::<T>());
    Refusal::access(HostAccessError { expected: name, found: name, reason })
}

#[cold]
fn denied<T: ?Sized>(reason: BorrowError) -> Refusal {
    refused::<T>(HostRefError::Borrow(reason))
}

impl<T: Any + Send + Sync> ObjectArg for Shared<T> {
    type Found = Found<T>;
    type Held = SharedGuard<T>;
    type Out<'g> = &'g T;

    #[inline]
    fn find(store: &StoreInner, raw: u32) -> Result<Found<T>, Refusal> {
        locate(store, raw)
    }

    #[inline]
    unsafe fn hold(found: Found<T>, site: &'static BorrowSite) -> Result<Self::Held, Refusal> {
        // SAFETY: the duties are the same.
        unsafe { found.0.borrow(site) }.map(SharedGuard).map_err(denied::<T>)
    }

    #[inline]
    fn out(held: &mut Self::Held) -> &T {
        &held.0
    }
}

impl<T: Any + Send + Sync> ObjectArg for Exclusive<T> {
    type Found = Found<T>;
    type Held = ExclusiveGuard<T>;
    type Out<'g> = &'g mut T;

    #[inline]
    fn find(store: &StoreInner, raw: u32) -> Result<Found<T>, Refusal> {
        locate(store, raw)
    }

    #[inline]
    unsafe fn hold(found: Found<T>, site: &'static BorrowSite) -> Result<Self::Held, Refusal> {
        // SAFETY: the duties are the same.
        unsafe { found.0.borrow_mut(site) }.map(ExclusiveGuard).map_err(denied::<T>)
    }

    #[inline]
    fn out(held: &mut Self::Held) -> &mut T {
        &mut held.0
    }
}

// The value is moved when all borrows have succeeded: a call that is refused takes nothing away.
impl<T: Any + Send + Sync> ObjectArg for Taking<T> {
    type Found = Found<T>;
    type Held = Option<ExclusiveGuard<T>>;
    type Out<'g> = Take<T>;

    #[inline]
    fn find(store: &StoreInner, raw: u32) -> Result<Found<T>, Refusal> {
        locate(store, raw)
    }

    unsafe fn hold(found: Found<T>, site: &'static BorrowSite) -> Result<Self::Held, Refusal> {
        // SAFETY: the duties are the same.
        let guard = unsafe { found.0.borrow_to_take(site) };
        guard.map(|guard| Some(ExclusiveGuard(guard))).map_err(denied::<T>)
    }

    fn out(held: &mut Self::Held) -> Take<T> {
        Take(taken(held).0.take())
    }
}

impl<T: ?Sized + 'static> ObjectArg for Dynamic<T> {
    type Found = FoundDyn<T>;
    type Held = DynGuard<T>;
    type Out<'g> = &'g T;

    fn find(store: &StoreInner, raw: u32) -> Result<FoundDyn<T>, Refusal> {
        let find = || {
            let located = store.gc.locate_any(raw)?;
            let reference = crate::gc::GcRef::from_raw(raw).ok_or(HostRefError::Null)?;
            Ok(FoundDyn(located, store.gc.host_cast(reference)?))
        };
        find().map_err(refused::<T>)
    }

    unsafe fn hold(found: FoundDyn<T>, site: &'static BorrowSite) -> Result<DynGuard<T>, Refusal> {
        // SAFETY: the duties are the same.
        let guard = unsafe { found.0.borrow(site) }.map_err(denied::<T>)?;
        Ok(DynGuard(guard, found.1))
    }

    fn out(held: &mut DynGuard<T>) -> &T {
        (held.1.0)(&*held.0).expect("a cast is one of the object's own type")
    }
}

impl<D: 'static, A: ObjectArg> Arg<D> for Required<A> {
    const MARKER: Self = Required(PhantomData);
    type First<W: Width> = i32;
    type Second<W: Width> = ();
    const SCOPE: bool = false;
    type Found = A::Found;
    type Held = A::Held;
    type Out<'g> = A::Out<'g>;

    fn wasm_types<W: Width>(_: &Engine, types: &mut Vec<ValType>) {
        types.push(ValType::Ref(RefType::new(false, HeapType::Extern)));
    }

    #[inline]
    fn find<W: Width>(call: &mut Conversion<'_>, abi: (i32, ())) -> Result<A::Found, Refusal> {
        A::find(call.store, abi.0 as u32)
    }

    #[inline]
    unsafe fn hold(found: A::Found, site: &'static BorrowSite) -> Result<A::Held, Refusal> {
        // SAFETY: the duties are the same.
        unsafe { A::hold(found, site) }
    }

    #[inline]
    fn out<'g>(held: &'g mut A::Held, _: &mut CallContext<'g, D>) -> A::Out<'g> {
        A::out(held)
    }
}

impl<D: 'static, A: ObjectArg> Arg<D> for Optional<A> {
    const MARKER: Self = Optional(PhantomData);
    type First<W: Width> = i32;
    type Second<W: Width> = ();
    const SCOPE: bool = false;
    type Found = Option<A::Found>;
    type Held = Option<A::Held>;
    type Out<'g> = Option<A::Out<'g>>;

    fn wasm_types<W: Width>(_: &Engine, types: &mut Vec<ValType>) {
        types.push(ValType::Ref(RefType::new(true, HeapType::Extern)));
    }

    #[inline]
    fn find<W: Width>(call: &mut Conversion<'_>, abi: (i32, ())) -> Result<Self::Found, Refusal> {
        match abi.0 {
            0 => Ok(None),
            raw => A::find(call.store, raw as u32).map(Some),
        }
    }

    #[inline]
    unsafe fn hold(found: Self::Found, site: &'static BorrowSite) -> Result<Self::Held, Refusal> {
        // SAFETY: the duties are the same.
        found.map(|found| unsafe { A::hold(found, site) }).transpose()
    }

    #[inline]
    fn out<'g>(held: &'g mut Self::Held, _: &mut CallContext<'g, D>) -> Self::Out<'g> {
        held.as_mut().map(A::out)
    }
}
