//! Which Rust types may be parameters of a host function. Says which way each takes; the ways
//! themselves are in `call.rs`.

use std::any::Any;

use super::call::{Arg, CallerArg, Exclusive, Optional, Reported, Shared, Value};
use crate::api::caller::Caller;
use crate::api::convert::WasmTy;

/// A type that a parameter of a host function may have, in a store with data `D`.
///
/// `Kind` is inferred: it keeps the implementations apart for rustc, and no type has two. Sealed by
/// what [`Arg`] asks for.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be a parameter of a host function",
    label = "a guest cannot pass this",
    note = "a guest can pass numbers of up to 64 bits, `bool`, `char`, types with `#[derive(WasmTy)]`, \
            and host objects as `&T`, `&mut T`, `Option<&T>`, `Option<&mut T>` or `Rooted<ExternRef<T>>`, \
            where `T` is `Send + Sync + 'static`",
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
    /// `&mut Caller<'_, D>`.
    #[derive(Debug)]
    pub struct Caller;
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

#[diagnostic::do_not_recommend]
impl<D: 'static, T: Any + Send + Sync> Param<D, kind::Shared> for &T {
    type Arg = Shared<T>;
}

// `Caller` is not `Sync`, and so not a host object.
#[diagnostic::do_not_recommend]
impl<D: 'static, T: Any + Send + Sync> Param<D, kind::Exclusive> for &mut T {
    type Arg = Exclusive<T>;
}

#[diagnostic::do_not_recommend]
impl<D: 'static, T: Any + Send + Sync> Param<D, kind::OptionShared> for Option<&T> {
    type Arg = Optional<Shared<T>>;
}

#[diagnostic::do_not_recommend]
impl<D: 'static, T: Any + Send + Sync> Param<D, kind::OptionExclusive> for Option<&mut T> {
    type Arg = Optional<Exclusive<T>>;
}

#[diagnostic::do_not_recommend]
impl<D: 'static, E: Same<D> + 'static> Param<D, kind::Caller> for &mut Caller<'_, E> {
    type Arg = CallerArg;
}

/// `Self` is `D`. A bound instead of one type parameter, so that rustc can tell `&mut Caller<'_, E>`
/// from other types before it knows `E`.
pub trait Same<D> {}

impl<D> Same<D> for D {}

/// A parameter that need not be the first.
#[diagnostic::on_unimplemented(
    message = "the caller must be the first parameter",
    label = "not first",
    note = "write `fn name(cx: &mut Caller<'_, T>, ..)`, with one `cx` only; a method whose `self` is a \
            part of the store's data cannot have one, for it would reach `self` a second time"
)]
pub trait AfterFirst {}

impl<T: WasmTy> AfterFirst for Value<T> {}
impl<T> AfterFirst for Shared<T> {}
impl<T> AfterFirst for Exclusive<T> {}
impl<A> AfterFirst for Optional<A> {}
impl<T> AfterFirst for Reported<T> {}
