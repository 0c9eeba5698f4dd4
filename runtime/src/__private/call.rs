//! One call of a host function: all arguments are converted, left to right; then all borrows are
//! taken; then the method runs; then the borrows end, latest first, also when the method panics.
//!
//! Invariant: between the conversion of the first argument and the last borrow nothing is collected.
//! Conversions root references and call `WasmTy::try_from_wasm`, which has no store to collect in.

use std::any::{Any, type_name};
use std::fmt;
use std::marker::PhantomData;

use super::signature::ArgTypes;
use crate::api::caller::Caller;
use crate::api::convert::{Abi, LoadError, WasmBasic, WasmTy, load};
use crate::api::func::arity::any_values;
use crate::api::func::shim::AbiParams;
use crate::api::refs::HostAccessError;
use crate::api::types::{HeapType, RefType, ValType};
use crate::error::{Error, Result};
use crate::gc::{BorrowError, BorrowSite, Borrowed, BorrowedMut, HostRefError, Located};
use crate::instance::store::StoreInner;

/// How one parameter is passed. Implementors are markers, and never made with anything in them.
pub trait Arg<D: 'static>: ArgTypes + Copy + 'static {
    /// The marker.
    const MARKER: Self;
    /// The first ABI value; `()` for none.
    type First: Abi;
    /// The second.
    type Second: Abi;
    /// Whether it needs a root scope.
    const SCOPE: bool;
    /// The argument after conversion.
    type Found;
    /// The argument after borrowing.
    type Held;
    /// What the method gets.
    type Out<'g>;

    /// Adds the Wasm types of the ABI values.
    #[doc(hidden)]
    fn wasm_types(types: &mut Vec<ValType>);

    /// Converts the argument. Collects nothing.
    #[doc(hidden)]
    fn find(
        store: &mut StoreInner,
        abi: (Self::First, Self::Second),
    ) -> Result<Self::Found, Refusal>;

    /// Borrows the argument, if it is borrowed, as `site`.
    ///
    /// # Safety
    ///
    /// Nothing may have been collected since `find`, and the result must be dropped before the
    /// store is.
    #[doc(hidden)]
    unsafe fn hold(found: Self::Found, site: &'static BorrowSite) -> Result<Self::Held, Refusal>;

    /// The argument for the method.
    #[doc(hidden)]
    fn out<'g>(
        held: &'g mut Self::Held,
        caller: &mut Option<&'g mut Caller<'g, D>>,
    ) -> Self::Out<'g>;
}

/// Why an argument was refused.
#[doc(hidden)]
#[derive(Debug)]
pub struct Refusal(Reason);

/// As data, so that the fast path makes no error.
#[derive(Debug)]
enum Reason {
    Load(LoadError),
    Access(HostAccessError),
}

impl Refusal {
    /// The error of the argument for `site`.
    #[cold]
    fn at(self, site: &'static BorrowSite) -> Error {
        let error = match self.0 {
            Reason::Load(LoadError::Other(error)) => error,
            Reason::Load(error) => error.into(),
            Reason::Access(error) => error.into(),
        };
        error.context(site)
    }

    #[cold]
    fn load(error: LoadError) -> Refusal {
        Refusal(Reason::Load(error))
    }

    #[cold]
    fn access<T: Any>(reason: HostRefError) -> Refusal {
        let name = Some(type_name::<T>());
        Refusal(Reason::Access(HostAccessError { expected: name, found: name, reason }))
    }
}

macro_rules! markers {
    ($($(#[$doc:meta])* $name:ident<$param:ident>;)*) => {$(
        $(#[$doc])*
        pub struct $name<$param>(PhantomData<fn() -> $param>);

        impl<$param> Clone for $name<$param> {
            fn clone(&self) -> Self {
                *self
            }
        }

        impl<$param> Copy for $name<$param> {}

        impl<$param> fmt::Debug for $name<$param> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(stringify!($name))
            }
        }
    )*};
}

markers! {
    /// A value that travels by itself.
    Value<T>;
    /// `&T`.
    Shared<T>;
    /// `&mut T`.
    Exclusive<T>;
    /// An `Option` of either, `None` for null.
    Optional<A>;
    /// A type that `probe.rs` reports: a program with one does not compile.
    Reported<T>;
}

/// `&mut Caller<'_, D>`.
#[derive(Clone, Copy, Debug)]
pub struct CallerArg;

impl<D: 'static, T: WasmTy> Arg<D> for Value<T> {
    const MARKER: Self = Value(PhantomData);
    type First = <T::Wasm as WasmBasic>::Abi;
    type Second = ();
    const SCOPE: bool = T::Wasm::ROOTS;
    type Found = T;
    type Held = Option<T>;
    type Out<'g> = T;

    fn wasm_types(types: &mut Vec<ValType>) {
        types.push(T::Wasm::wasm_type());
    }

    #[inline]
    fn find(store: &mut StoreInner, (abi, ()): (Self::First, ())) -> Result<T, Refusal> {
        load(store, abi).map_err(Refusal::load)
    }

    #[inline]
    unsafe fn hold(found: T, _: &'static BorrowSite) -> Result<Option<T>, Refusal> {
        Ok(Some(found))
    }

    #[inline]
    fn out<'g>(held: &'g mut Option<T>, _: &mut Option<&'g mut Caller<'g, D>>) -> T {
        held.take().expect("an argument is taken once")
    }
}

/// A host value that is not borrowed yet.
#[doc(hidden)]
pub struct Found<T>(Located<T>);

/// A host value borrowed for a `&T`.
#[doc(hidden)]
pub struct SharedGuard<T>(Borrowed<T>);

/// A host value borrowed for a `&mut T`.
#[doc(hidden)]
pub struct ExclusiveGuard<T>(BorrowedMut<T>);

fn extern_type(nullable: bool) -> ValType {
    ValType::Ref(RefType::new(nullable, HeapType::Extern))
}

#[inline]
fn locate<T: Any>(store: &StoreInner, abi: i32) -> Result<Found<T>, Refusal> {
    store.gc.locate(abi as u32).map(Found).map_err(Refusal::access::<T>)
}

#[cold]
fn denied<T: Any>(reason: BorrowError) -> Refusal {
    Refusal::access::<T>(HostRefError::Borrow(reason))
}

impl<D: 'static, T: Any + Send + Sync> Arg<D> for Shared<T> {
    const MARKER: Self = Shared(PhantomData);
    type First = i32;
    type Second = ();
    const SCOPE: bool = false;
    type Found = Found<T>;
    type Held = SharedGuard<T>;
    type Out<'g> = &'g T;

    fn wasm_types(types: &mut Vec<ValType>) {
        types.push(extern_type(false));
    }

    #[inline]
    fn find(store: &mut StoreInner, (abi, ()): (i32, ())) -> Result<Found<T>, Refusal> {
        locate(store, abi)
    }

    #[inline]
    unsafe fn hold(found: Found<T>, site: &'static BorrowSite) -> Result<Self::Held, Refusal> {
        // SAFETY: the duties are the same.
        unsafe { found.0.borrow(site) }.map(SharedGuard).map_err(denied::<T>)
    }

    #[inline]
    fn out<'g>(held: &'g mut Self::Held, _: &mut Option<&'g mut Caller<'g, D>>) -> &'g T {
        &held.0
    }
}

impl<D: 'static, T: Any + Send + Sync> Arg<D> for Exclusive<T> {
    const MARKER: Self = Exclusive(PhantomData);
    type First = i32;
    type Second = ();
    const SCOPE: bool = false;
    type Found = Found<T>;
    type Held = ExclusiveGuard<T>;
    type Out<'g> = &'g mut T;

    fn wasm_types(types: &mut Vec<ValType>) {
        types.push(extern_type(false));
    }

    #[inline]
    fn find(store: &mut StoreInner, (abi, ()): (i32, ())) -> Result<Found<T>, Refusal> {
        locate(store, abi)
    }

    #[inline]
    unsafe fn hold(found: Found<T>, site: &'static BorrowSite) -> Result<Self::Held, Refusal> {
        // SAFETY: the duties are the same.
        unsafe { found.0.borrow_mut(site) }.map(ExclusiveGuard).map_err(denied::<T>)
    }

    #[inline]
    fn out<'g>(held: &'g mut Self::Held, _: &mut Option<&'g mut Caller<'g, D>>) -> &'g mut T {
        &mut held.0
    }
}

impl<D: 'static, A> Arg<D> for Optional<A>
where
    A: Arg<D, First = i32, Second = ()>,
{
    const MARKER: Self = Optional(PhantomData);
    type First = i32;
    type Second = ();
    const SCOPE: bool = A::SCOPE;
    type Found = Option<A::Found>;
    type Held = Option<A::Held>;
    type Out<'g> = Option<A::Out<'g>>;

    fn wasm_types(types: &mut Vec<ValType>) {
        types.push(extern_type(true));
    }

    #[inline]
    fn find(store: &mut StoreInner, abi: (i32, ())) -> Result<Self::Found, Refusal> {
        match abi.0 {
            0 => Ok(None),
            _ => A::find(store, abi).map(Some),
        }
    }

    #[inline]
    unsafe fn hold(found: Self::Found, site: &'static BorrowSite) -> Result<Self::Held, Refusal> {
        // SAFETY: the duties are the same.
        found.map(|found| unsafe { A::hold(found, site) }).transpose()
    }

    #[inline]
    fn out<'g>(
        held: &'g mut Self::Held,
        caller: &mut Option<&'g mut Caller<'g, D>>,
    ) -> Self::Out<'g> {
        held.as_mut().map(|held| A::out(held, caller))
    }
}

impl<D: 'static> Arg<D> for CallerArg {
    const MARKER: Self = CallerArg;
    type First = ();
    type Second = ();
    const SCOPE: bool = true;
    type Found = ();
    type Held = ();
    type Out<'g> = &'g mut Caller<'g, D>;

    fn wasm_types(_: &mut Vec<ValType>) {}

    #[inline]
    fn find(_: &mut StoreInner, _: ((), ())) -> Result<(), Refusal> {
        Ok(())
    }

    #[inline]
    unsafe fn hold((): (), _: &'static BorrowSite) -> Result<(), Refusal> {
        Ok(())
    }

    #[inline]
    fn out<'g>(
        (): &'g mut (),
        caller: &mut Option<&'g mut Caller<'g, D>>,
    ) -> &'g mut Caller<'g, D> {
        caller.take().expect("the caller is taken once: only the first parameter can be it")
    }
}

impl<D: 'static, T: 'static> Arg<D> for Reported<T> {
    const MARKER: Self = Reported(PhantomData);
    type First = ();
    type Second = ();
    const SCOPE: bool = false;
    type Found = T;
    type Held = Option<T>;
    type Out<'g> = T;

    fn wasm_types(_: &mut Vec<ValType>) {}

    fn find(_: &mut StoreInner, _: ((), ())) -> Result<T, Refusal> {
        unreachable!("a parameter of this type is reported at compile time")
    }

    unsafe fn hold(found: T, _: &'static BorrowSite) -> Result<Option<T>, Refusal> {
        Ok(Some(found))
    }

    fn out<'g>(held: &'g mut Option<T>, _: &mut Option<&'g mut Caller<'g, D>>) -> T {
        held.take().expect("an argument is taken once")
    }
}

/// A method call with converted and borrowed arguments.
#[doc(hidden)]
pub trait Call<D: 'static, A: Args<D>> {
    /// What the method returns.
    type Return;

    /// Calls the method. `caller` is `None` when an argument has it.
    fn call<'g>(
        &self,
        caller: Option<&'g mut Caller<'g, D>>,
        arguments: A::Out<'g>,
    ) -> Self::Return;
}

/// The parameters of a method: a tuple of [`Arg`]s.
pub trait Args<D: 'static>: Copy + 'static {
    /// Their ABI values.
    type Abi: AbiParams;
    /// A [`Site`](super::Site) for each.
    type Sites: Copy + Send + Sync + 'static;
    /// Whether one of them needs a root scope.
    const SCOPE: bool;
    /// What the method gets.
    type Out<'g>;

    /// Their Wasm types.
    #[doc(hidden)]
    fn wasm_types() -> Vec<ValType>;

    /// Converts the arguments, borrows them, calls the method, and ends the borrows.
    #[doc(hidden)]
    fn call<C: Call<D, Self>>(
        caller: &mut Caller<'_, D>,
        abi: Self::Abi,
        sites: Self::Sites,
        method: &C,
    ) -> Result<C::Return>;
}

macro_rules! arg_tuples {
    ($($($name:ident $index:tt)*;)*) => {$(
        #[allow(
            non_snake_case, unused_variables, unused_mut, clippy::unused_unit,
            reason = "arguments are named by their types, and there may be none"
        )]
        impl<Data: 'static, $($name: Arg<Data>),*> Args<Data> for ($($name,)*) {
            type Abi = ($(($name::First, $name::Second),)*);
            type Sites = &'static [BorrowSite; <[&str]>::len(&[$(stringify!($name)),*])];
            const SCOPE: bool = false $(|| $name::SCOPE)*;
            type Out<'g> = ($($name::Out<'g>,)*);

            fn wasm_types() -> Vec<ValType> {
                let mut types = Vec::new();
                $($name::wasm_types(&mut types);)*
                types
            }

            #[inline]
            fn call<Method: Call<Data, Self>>(
                caller: &mut Caller<'_, Data>,
                abi: Self::Abi,
                sites: Self::Sites,
                method: &Method,
            ) -> Result<Method::Return> {
                let store = caller.inner_mut();
                $(let $name = match $name::find(store, abi.$index) {
                    Ok(found) => found,
                    Err(refusal) => return Err(refusal.at(&sites[$index])),
                };)*
                // Locals of their own end in reverse order, as nested borrows should.
                // SAFETY: conversions collect nothing, and the guards are dropped before this
                // function returns the store.
                $(let mut $name = match unsafe { $name::hold($name, &sites[$index]) } {
                    Ok(held) => held,
                    Err(refusal) => return Err(refusal.at(&sites[$index])),
                };)*
                let mut caller = caller.reborrow();
                let mut caller = Some(&mut caller);
                let arguments = ($($name::out(&mut $name, &mut caller),)*);
                Ok(method.call(caller, arguments))
            }
        }
    )*};
}

any_values!(arg_tuples);
