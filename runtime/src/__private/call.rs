//! One call of a host function: all arguments are converted, left to right; then all borrows are
//! taken; then the method runs; then the borrows end, latest first, also when the method panics.
//!
//! Invariant: between the conversion of the first argument and the last borrow nothing is collected,
//! and no guest runs. Conversions root references and call `WasmTy::try_from_wasm`, which has no store
//! to collect in.

use std::marker::PhantomData;

use super::memory::{self, CallMemory, MemoryRange, Width};
use super::signature::ArgTypes;
use crate::api::caller::Caller;
use crate::api::convert::{Abi, LoadError, WasmBasic, WasmTy, load};
use crate::api::engine::Engine;
use crate::api::func::arity::any_values;
use crate::api::func::shim::{AbiParams, CallingCtx};
use crate::api::host_cx::{AnyProjection, HostCx, HostCxSlot};
use crate::api::refs::HostAccessError;
use crate::api::types::ValType;
use crate::error::{Error, Result};
use crate::gc::BorrowSite;
use crate::instance::store::StoreInner;

/// How one parameter is passed. Implementors are markers, and never made with anything in them.
pub trait Arg<D: 'static>: ArgTypes + Copy + 'static {
    /// The marker.
    const MARKER: Self;
    /// The first ABI value, for guests whose addresses are `W`s; `()` for none.
    type First<W: Width>: Abi;
    /// The second.
    type Second<W: Width>: Abi;
    /// Whether it needs a root scope.
    const SCOPE: bool;
    /// Whether it needs the memory of the calling instance.
    const MEMORY: bool = false;
    /// Whether it is a part of that memory that the method may change.
    const WRITES: bool = false;
    /// The argument after conversion.
    type Found;
    /// The argument after borrowing.
    type Held;
    /// What the method gets.
    type Out<'g>;

    /// Adds the Wasm types of the ABI values.
    #[doc(hidden)]
    fn wasm_types<W: Width>(engine: &Engine, types: &mut Vec<ValType>);

    /// Converts the argument. Collects nothing.
    #[doc(hidden)]
    fn find<W: Width>(
        call: &mut Conversion<'_>,
        abi: (Self::First<W>, Self::Second<W>),
    ) -> Result<Self::Found, Refusal>;

    /// The part of the guest's memory that the argument is; an empty one if it is none.
    #[doc(hidden)]
    #[inline]
    fn range(_found: &Self::Found) -> MemoryRange {
        MemoryRange::default()
    }

    /// Borrows the argument, if it is borrowed, as `site`.
    ///
    /// # Safety
    ///
    /// Nothing may have been collected and no guest may have run since `find`, no other argument's
    /// range overlaps one that is written, and the result must be dropped before the store is.
    #[doc(hidden)]
    unsafe fn hold(found: Self::Found, site: &'static BorrowSite) -> Result<Self::Held, Refusal>;

    /// The argument for the method.
    #[doc(hidden)]
    fn out<'g>(held: &'g mut Self::Held, context: &mut CallContext<'g, D>) -> Self::Out<'g>;
}

/// What conversions may use.
#[doc(hidden)]
pub struct Conversion<'a> {
    pub(super) store: &'a mut StoreInner,
    ctx: CallingCtx,
    memory_name: &'static str,
    memory: Option<CallMemory>,
}

impl Conversion<'_> {
    /// The memory of the calling instance.
    #[inline]
    pub(super) fn memory<W: Width>(&mut self) -> Result<CallMemory, Refusal> {
        if let Some(memory) = self.memory {
            return Ok(memory);
        }
        let found = memory::find::<W>(self.store, self.ctx, self.memory_name);
        let memory = found.map_err(Refusal::other)?;
        self.memory = Some(memory);
        Ok(memory)
    }
}

/// What the context argument is made of, when there is one.
#[doc(hidden)]
pub struct CallContext<'g, D: 'static> {
    caller: Option<&'g mut Caller<'g, D>>,
    projection: &'g dyn AnyProjection<D>,
}

/// Why an argument was refused.
#[doc(hidden)]
#[derive(Debug)]
pub struct Refusal(Box<Reason>);

/// As data: most refusals are printed by nobody.
#[derive(Debug)]
enum Reason {
    Load(LoadError),
    Access(HostAccessError),
}

impl Refusal {
    /// The error of the argument for `site`.
    #[cold]
    fn at(self, site: &'static BorrowSite) -> Error {
        let error = match *self.0 {
            Reason::Load(LoadError::Other(error)) => error,
            Reason::Load(error) => error.into(),
            Reason::Access(error) => error.into(),
        };
        error.context(site)
    }

    #[cold]
    pub(super) fn load(error: LoadError) -> Refusal {
        Refusal(Box::new(Reason::Load(error)))
    }

    #[cold]
    pub(super) fn other(error: Error) -> Refusal {
        Refusal(Box::new(Reason::Load(LoadError::Other(error))))
    }

    #[cold]
    pub(super) fn access(error: HostAccessError) -> Refusal {
        Refusal(Box::new(Reason::Access(error)))
    }
}

macro_rules! markers {
    ($($(#[$doc:meta])* $name:ident<$param:ident $(: ?$sized:ident)?>;)*) => {$(
        $(#[$doc])*
        pub struct $name<$param $(: ?$sized)?>(pub(super) PhantomData<fn() -> *const $param>);

        impl<$param $(: ?$sized)?> Clone for $name<$param> {
            fn clone(&self) -> Self {
                *self
            }
        }

        impl<$param $(: ?$sized)?> Copy for $name<$param> {}

        impl<$param $(: ?$sized)?> std::fmt::Debug for $name<$param> {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(stringify!($name))
            }
        }
    )*};
}

pub(super) use markers;

markers! {
    /// A value that travels by itself.
    Value<T>;
    /// An integer that is cut to its lower bits.
    Wrapped<T>;
    /// `&mut HostCx<'_, S>`.
    HostCxArg<S>;
    /// A type that `probe.rs` reports: a program with one does not compile.
    Reported<T>;
}

/// `&mut Caller<'_, D>`.
#[derive(Clone, Copy, Debug)]
pub struct CallerArg;

impl<D: 'static, T: WasmTy> Arg<D> for Value<T> {
    const MARKER: Self = Value(PhantomData);
    type First<W: Width> = <T::Wasm as WasmBasic>::Abi;
    type Second<W: Width> = ();
    const SCOPE: bool = T::Wasm::ROOTS;
    type Found = T;
    type Held = Option<T>;
    type Out<'g> = T;

    fn wasm_types<W: Width>(engine: &Engine, types: &mut Vec<ValType>) {
        types.push(T::Wasm::wasm_type(engine));
    }

    #[inline]
    fn find<W: Width>(
        call: &mut Conversion<'_>,
        (abi, ()): (Self::First<W>, ()),
    ) -> Result<T, Refusal> {
        load(call.store, abi).map_err(Refusal::load)
    }

    #[inline]
    unsafe fn hold(found: T, _: &'static BorrowSite) -> Result<Option<T>, Refusal> {
        Ok(Some(found))
    }

    #[inline]
    fn out<'g>(held: &'g mut Option<T>, _: &mut CallContext<'g, D>) -> T {
        taken(held)
    }
}

/// An argument that is passed by value.
#[inline]
pub(super) fn taken<T>(held: &mut Option<T>) -> T {
    held.take().expect("an argument is taken once")
}

/// An integer narrower than those of Wasm.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot wrap",
    label = "`#[host(wrap)]` is for `i8`, `u8`, `i16` and `u16`",
    note = "remove `#[host(wrap)]`"
)]
pub trait Wrap: Send + Sized + 'static {
    /// How the parameter is passed.
    type Marker;

    /// The marker.
    #[doc(hidden)]
    fn marker() -> Self::Marker;

    /// Its lower bits.
    #[doc(hidden)]
    fn wrap(value: i32) -> Self;
}

macro_rules! wrapping {
    ($($ty:ty)*) => {$(
        impl Wrap for $ty {
            type Marker = Wrapped<$ty>;

            fn marker() -> Wrapped<$ty> {
                Wrapped(PhantomData)
            }

            #[inline]
            fn wrap(value: i32) -> $ty {
                value as $ty
            }
        }
    )*};
}

wrapping!(i8 u8 i16 u16);

impl<D: 'static, T: Wrap> Arg<D> for Wrapped<T> {
    const MARKER: Self = Wrapped(PhantomData);
    type First<W: Width> = i32;
    type Second<W: Width> = ();
    const SCOPE: bool = false;
    type Found = T;
    type Held = Option<T>;
    type Out<'g> = T;

    fn wasm_types<W: Width>(_: &Engine, types: &mut Vec<ValType>) {
        types.push(ValType::I32);
    }

    #[inline]
    fn find<W: Width>(_: &mut Conversion<'_>, (abi, ()): (i32, ())) -> Result<T, Refusal> {
        Ok(T::wrap(abi))
    }

    #[inline]
    unsafe fn hold(found: T, _: &'static BorrowSite) -> Result<Option<T>, Refusal> {
        Ok(Some(found))
    }

    #[inline]
    fn out<'g>(held: &'g mut Option<T>, _: &mut CallContext<'g, D>) -> T {
        taken(held)
    }
}

impl<D: 'static> Arg<D> for CallerArg {
    const MARKER: Self = CallerArg;
    type First<W: Width> = ();
    type Second<W: Width> = ();
    const SCOPE: bool = true;
    type Found = ();
    type Held = ();
    type Out<'g> = &'g mut Caller<'g, D>;

    fn wasm_types<W: Width>(_: &Engine, _: &mut Vec<ValType>) {}

    #[inline]
    fn find<W: Width>(_: &mut Conversion<'_>, _: ((), ())) -> Result<(), Refusal> {
        Ok(())
    }

    #[inline]
    unsafe fn hold((): (), _: &'static BorrowSite) -> Result<(), Refusal> {
        Ok(())
    }

    #[inline]
    fn out<'g>((): &'g mut (), context: &mut CallContext<'g, D>) -> &'g mut Caller<'g, D> {
        context.caller.take().expect("the caller is taken once: only the first parameter can be it")
    }
}

impl<D: 'static, S: 'static> Arg<D> for HostCxArg<S> {
    const MARKER: Self = HostCxArg(PhantomData);
    type First<W: Width> = ();
    type Second<W: Width> = ();
    const SCOPE: bool = true;
    type Found = ();
    type Held = HostCxSlot<S>;
    type Out<'g> = &'g mut HostCx<'g, S>;

    fn wasm_types<W: Width>(_: &Engine, _: &mut Vec<ValType>) {}

    #[inline]
    fn find<W: Width>(_: &mut Conversion<'_>, _: ((), ())) -> Result<(), Refusal> {
        Ok(())
    }

    #[inline]
    unsafe fn hold((): (), _: &'static BorrowSite) -> Result<HostCxSlot<S>, Refusal> {
        Ok(HostCxSlot::default())
    }

    #[inline]
    fn out<'g>(
        held: &'g mut HostCxSlot<S>,
        context: &mut CallContext<'g, D>,
    ) -> &'g mut HostCx<'g, S> {
        let caller = context.caller.take();
        let caller = caller.expect("the context is taken once: only the first parameter can be it");
        held.fill(caller, context.projection)
    }
}

impl<D: 'static, T: 'static> Arg<D> for Reported<T> {
    const MARKER: Self = Reported(PhantomData);
    type First<W: Width> = ();
    type Second<W: Width> = ();
    const SCOPE: bool = false;
    type Found = T;
    type Held = Option<T>;
    type Out<'g> = T;

    fn wasm_types<W: Width>(_: &Engine, _: &mut Vec<ValType>) {}

    fn find<W: Width>(_: &mut Conversion<'_>, _: ((), ())) -> Result<T, Refusal> {
        unreachable!("a parameter of this type is reported at compile time")
    }

    unsafe fn hold(found: T, _: &'static BorrowSite) -> Result<Option<T>, Refusal> {
        Ok(Some(found))
    }

    fn out<'g>(held: &'g mut Option<T>, _: &mut CallContext<'g, D>) -> T {
        taken(held)
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

/// What is known of a host function besides its types.
#[doc(hidden)]
#[derive(Clone, Copy, Debug)]
pub struct About<S> {
    pub(super) module: &'static str,
    pub(super) name: &'static str,
    /// The export that its slices lie in.
    pub(super) memory: &'static str,
    pub(super) sites: S,
}

/// The parameters of a method: a tuple of [`Arg`]s.
pub trait Args<D: 'static>: Copy + 'static {
    /// Their ABI values, for guests whose addresses are `W`s.
    type Abi<W: Width>: AbiParams;
    /// A [`Site`](super::Site) for each.
    type Sites: Copy + Send + Sync + 'static;
    /// Whether one of them needs a root scope.
    const SCOPE: bool;
    /// Whether one of them needs the memory of the calling instance.
    const MEMORY: bool;
    /// What the method gets.
    type Out<'g>;

    /// Their Wasm types.
    #[doc(hidden)]
    fn wasm_types<W: Width>(engine: &Engine) -> Vec<ValType>;

    /// Converts the arguments, borrows them, calls the method, and ends the borrows.
    #[doc(hidden)]
    fn call<W: Width, C: Call<D, Self>>(
        caller: &mut Caller<'_, D>,
        abi: Self::Abi<W>,
        about: &About<Self::Sites>,
        projection: &dyn AnyProjection<D>,
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
            type Abi<W: Width> = ($(($name::First<W>, $name::Second<W>),)*);
            type Sites = &'static [BorrowSite; <[&str]>::len(&[$(stringify!($name)),*])];
            const SCOPE: bool = false $(|| $name::SCOPE)*;
            const MEMORY: bool = false $(|| $name::MEMORY)*;
            type Out<'g> = ($($name::Out<'g>,)*);

            fn wasm_types<W: Width>(engine: &Engine) -> Vec<ValType> {
                let mut types = Vec::new();
                $($name::wasm_types::<W>(engine, &mut types);)*
                types
            }

            #[inline]
            fn call<W: Width, Method: Call<Data, Self>>(
                caller: &mut Caller<'_, Data>,
                abi: Self::Abi<W>,
                about: &About<Self::Sites>,
                projection: &dyn AnyProjection<Data>,
                method: &Method,
            ) -> Result<Method::Return> {
                let sites = about.sites;
                let (ctx, memory_name) = (caller.calling(), about.memory);
                let call = &mut Conversion {
                    store: caller.inner_mut(), ctx, memory_name, memory: None,
                };
                $(let $name = match $name::find::<W>(call, abi.$index) {
                    Ok(found) => found,
                    Err(refusal) => return Err(refusal.at(&sites[$index])),
                };)*
                if const { false $(|| $name::WRITES)* } {
                    memory::check_overlaps(
                        &[$(($name::WRITES, $name::range(&$name))),*], &sites[..],
                    )?;
                }
                // Locals of their own end in reverse order, as nested borrows should.
                // SAFETY: conversions collect nothing and run no guest, overlaps were checked, and
                // the guards are dropped before this function returns the store.
                $(let mut $name = match unsafe { $name::hold($name, &sites[$index]) } {
                    Ok(held) => held,
                    Err(refusal) => return Err(refusal.at(&sites[$index])),
                };)*
                let mut caller = caller.reborrow();
                let mut context = CallContext { caller: Some(&mut caller), projection };
                let arguments = ($($name::out(&mut $name, &mut context),)*);
                Ok(method.call(context.caller, arguments))
            }
        }
    )*};
}

any_values!(arg_tuples);
