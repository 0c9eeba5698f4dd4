//! Which Rust types may be parameters of a host function. Says which way each takes; the ways
//! themselves are in `call.rs`.

use std::any::Any;

use super::call::{Arg, CallerArg, HostCxArg, Reported, Value, Wrapped};
use super::memory::{Address, Copied, CopiedArg, GuestData, GuestElement, Ptr, Slice, SliceMut};
use super::objects::{Dynamic, Exclusive, Optional, Required, Shared, Take, Taking};
use crate::api::caller::Caller;
use crate::api::convert::WasmTy;
use crate::api::host_cx::HostCx;
use crate::api::refs::target::HostTrait;

/// A type that a parameter of a host function may have, in a store with data `D`.
///
/// `Kind` is inferred: it keeps the implementations apart for rustc, and no type has two. Sealed by
/// what [`Arg`] asks for.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be a parameter of a host function",
    label = "a guest cannot pass this",
    note = "if `{Self}` is a type of yours: an object of the host is a `&{Self}`; `#[derive(WasmTy)]` passes a \
            number or an enum by value",
    note = "a guest can pass numbers of up to 64 bits, `bool`, `char`, types with `#[derive(WasmTy)]`, \
            and host objects as `&T`, `&mut T`, `Take<T>`, `Option`s of these or `Rooted<ExternRef<T>>`, \
            where `T` is `Send + Sync + 'static`, or `&dyn Trait` of a trait with `#[host_trait]`",
    note = "functions of the guest are `TypedFunc<P, R>`, its structs and arrays the handles that \
            `#[derive(GcStruct)]` and `#[derive(GcArray)]` make: `PointRef` for `Point`",
    note = "text and numbers in the guest's memory are `&str`, `&[u8]`, `&mut [f32]`, `Copied<str>`, \
            `Ptr<u32>` and the like",
    note = "a function that needs the store takes `cx: &mut Caller<'_, T>` first, and its block says \
            `#[host_module(state = T)]`"
)]
pub trait Param<D: 'static, Kind> {
    /// How the parameter is passed.
    type Arg: Arg<D>;
}

/// The kinds of [`Param`]s and of the other traits about types.
pub mod kind {
    /// A value that travels by itself.
    #[derive(Debug)]
    pub struct Value;
    /// `&T`.
    #[derive(Debug)]
    pub struct Shared;
    /// `&mut T`.
    #[derive(Debug)]
    pub struct Exclusive;
    /// `Option<&T>`.
    #[derive(Debug)]
    pub struct OptionShared;
    /// `Option<&mut T>`.
    #[derive(Debug)]
    pub struct OptionExclusive;
    /// `&dyn Trait`.
    #[derive(Debug)]
    pub struct Dynamic;
    /// `Option<&dyn Trait>`.
    #[derive(Debug)]
    pub struct OptionDynamic;
    /// `Take<T>`.
    #[derive(Debug)]
    pub struct Take;
    /// `Option<Take<T>>`.
    #[derive(Debug)]
    pub struct OptionTake;
    /// `Option` of a value.
    #[derive(Debug)]
    pub struct OptionValue;
    /// `Box<T>`.
    #[derive(Debug)]
    pub struct Boxed;
    /// `Option<Box<T>>`.
    #[derive(Debug)]
    pub struct OptionBoxed;
    /// `Rooted<R>`.
    #[derive(Debug)]
    pub struct Root;
    /// `Option<Rooted<R>>`.
    #[derive(Debug)]
    pub struct OptionRoot;
    /// `ManuallyRooted<R>`.
    #[derive(Debug)]
    pub struct OwnedRoot;
    /// `Option<ManuallyRooted<R>>`.
    #[derive(Debug)]
    pub struct OptionOwnedRoot;
    /// `&str` or `&[E]`.
    #[derive(Debug)]
    pub struct Slice;
    /// `&mut [E]`.
    #[derive(Debug)]
    pub struct SliceMut;
    /// `Copied<T>`.
    #[derive(Debug)]
    pub struct Copied;
    /// `Ptr<E>`.
    #[derive(Debug)]
    pub struct Ptr;
    /// `&mut Caller<'_, D>`.
    #[derive(Debug)]
    pub struct Caller;
    /// `&mut HostCx<'_, S>`.
    #[derive(Debug)]
    pub struct HostCx;
    /// A type that is reported elsewhere.
    #[derive(Debug)]
    pub struct Reported;
    /// A `Result`.
    #[derive(Debug)]
    pub struct Fallible;
    /// [`New`](crate::New).
    #[derive(Debug)]
    pub struct New;
    /// `Option<New>`.
    #[derive(Debug)]
    pub struct OptionNew;
    /// A handle.
    #[derive(Debug)]
    pub struct Handle;
    /// `Option` of a handle.
    #[derive(Debug)]
    pub struct OptionHandle;
    /// A type that derives `WasmTy`.
    #[derive(Debug)]
    pub struct Derived;
    /// A value in 8 or 16 bits.
    #[derive(Debug)]
    pub struct Packed;
    /// No type. Every trait with kinds has at least two candidates for every type: with one alone,
    /// rustc would take it before looking whether its bounds hold, and report those bounds in place
    /// of the trait, in several places.
    #[derive(Debug)]
    pub struct Never;
    /// As `Never`.
    #[derive(Debug)]
    pub struct NeverEver;
}

#[diagnostic::do_not_recommend]
impl<D: 'static, T: WasmTy> Param<D, kind::Value> for T {
    type Arg = Value<T>;
}

// See `kind::Never`.
#[diagnostic::do_not_recommend]
impl<D: 'static, T: Never> Param<D, kind::Never> for T {
    type Arg = CallerArg;
}

/// Implemented for nothing.
pub trait Never {}

macro_rules! params {
    ($($(#[$why:meta])* [$($generics:tt)*] $ty:ty, $kind:ident: $arg:ty;)*) => {$(
        $(#[$why])*
        #[diagnostic::do_not_recommend]
        impl<D: 'static, $($generics)*> Param<D, kind::$kind> for $ty {
            type Arg = $arg;
        }
    )*};
}

// `Caller` and `HostCx` are not `Sync`, and so not host objects.
params! {
    [T: Any + Send + Sync] &T, Shared: Required<Shared<T>>;
    [T: Any + Send + Sync] &mut T, Exclusive: Required<Exclusive<T>>;
    [T: Any + Send + Sync] Option<&T>, OptionShared: Optional<Shared<T>>;
    [T: Any + Send + Sync] Option<&mut T>, OptionExclusive: Optional<Exclusive<T>>;
    [T: Any + Send + Sync] Take<T>, Take: Required<Taking<T>>;
    [T: Any + Send + Sync] Option<Take<T>>, OptionTake: Optional<Taking<T>>;
    [T: ?Sized + HostTrait] &T, Dynamic: Required<Dynamic<T::Object>>;
    [T: ?Sized + HostTrait] Option<&T>, OptionDynamic: Optional<Dynamic<T::Object>>;
    [T: ?Sized + GuestData] &T, Slice: Slice<T>;
    [E: GuestElement] &mut [E], SliceMut: SliceMut<E>;
    [T: ?Sized + GuestData] Copied<T>, Copied: CopiedArg<T>;
    [E: GuestElement] Ptr<E>, Ptr: Address<E>;
    [E: Same<D> + 'static] &mut Caller<'_, E>, Caller: CallerArg;
    [S: 'static] &mut HostCx<'_, S>, HostCx: HostCxArg<S>;
    [P: 'static] Reported<P>, Reported: Reported<P>;
}

/// `Self` is `D`. A bound instead of one type parameter, so that rustc can tell `&mut Caller<'_, E>`
/// from other types before it knows `E`.
pub trait Same<D> {}

impl<D> Same<D> for D {}

/// A first parameter in a block with state `S`.
#[diagnostic::on_unimplemented(
    message = "this context has another state than its block",
    label = "write `&mut HostCx<'_, Self>`, and `receiver = \"state\"` on the block",
    note = "a block without `receiver = \"state\"` has no state: there the context is `&mut HostCx<'_, ()>`"
)]
pub trait FirstOf<S> {}

/// A parameter that need not be the first, where the first is passed as `F`.
#[diagnostic::on_unimplemented(
    message = "the caller must be the first parameter",
    label = "not first",
    note = "write `fn name(cx: &mut Caller<'_, T>, ..)`, with one `cx` only; a method whose `self` is a \
            part of the store's data cannot have one, for it would reach `self` a second time"
)]
pub trait Beside<F> {}

/// A first parameter that is no context.
#[diagnostic::on_unimplemented(
    message = "a part of the guest's memory cannot be borrowed beside `cx`",
    label = "write `Copied<str>`, `Copied<[u8]>` or `Ptr<E>`",
    note = "through `cx` the guest can run, and change or grow its memory meanwhile"
)]
pub trait NotContext {}

/// There is no first parameter that could be a context.
#[derive(Clone, Copy, Debug)]
pub struct NoContext;

impl NotContext for NoContext {}

macro_rules! arguments {
    ($([$($sized:tt)*] $name:ident: $beside:ident;)*) => {$(
        impl<T $($sized)*, S> FirstOf<S> for $name<T> {}
        impl<T $($sized)*, F: $beside> Beside<F> for $name<T> {}
        impl<T $($sized)*> NotContext for $name<T> {}
    )*};
}

/// Any first parameter.
pub trait Anything {}

impl<F> Anything for F {}

arguments! {
    [] Value: Anything;
    [] Wrapped: Anything;
    [] Required: Anything;
    [] Optional: Anything;
    [] Reported: Anything;
    [] Address: Anything;
    [: ?Sized] CopiedArg: Anything;
    [: ?Sized] Slice: NotContext;
    [] SliceMut: NotContext;
}

impl<S> FirstOf<S> for CallerArg {}
impl<S> FirstOf<S> for HostCxArg<S> {}
