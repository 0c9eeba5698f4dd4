//! Types of parameters and results that would be accepted for what they are not, or refused without a
//! hint. Explains only: what is accepted is the affair of `param.rs` and `result.rs`.
//!
//! `Probe::<P>::NEW.look()` finds an inherent method for the types below, whose bound holds for
//! nothing and says why; for all others it finds the method of the trait [`Look`].

use std::convert::Infallible;
use std::fmt;
use std::marker::PhantomData;

use super::call::Reported;
use super::param::{Param, kind};
use super::result::{HostResult, ReturnsOf};
use crate::api::func::Func;
use crate::api::global::Global;
use crate::api::memory::Memory;
use crate::api::object::HostObject;
use crate::api::refs::{GcRef, I31, ManuallyRooted, Rooted};
use crate::api::table::Table;
use crate::api::tag::Tag;
use crate::api::v128::V128;
use crate::error::{Error, Result};

/// Looks at a parameter of type `P`.
pub struct Probe<P: ?Sized>(PhantomData<P>);

impl<P: ?Sized> Probe<P> {
    /// The probe.
    pub const NEW: Probe<P> = Probe(PhantomData);
}

impl<P: ?Sized> fmt::Debug for Probe<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Probe")
    }
}

/// Proof that a probe looked.
#[derive(Debug)]
pub struct Looked;

impl Looked {
    /// Proof that two probes looked.
    #[must_use]
    pub fn and(self, _: Looked) -> Looked {
        Looked
    }
}

/// Types without anything to say about them.
pub trait Look {
    /// Says nothing.
    fn look(&self) -> Looked {
        Looked
    }
}

impl<P: ?Sized> Look for Probe<P> {}

/// Holds for nothing.
#[diagnostic::on_unimplemented(
    message = "`&Option<T>` would be an object that is an `Option`",
    label = "write `Option<&{T}>`",
    note = "`Option<&T>` and `Option<&mut T>` are references that may be null"
)]
pub trait OptionInside<T: ?Sized> {}

/// Holds for nothing.
#[diagnostic::on_unimplemented(
    message = "`&mut Option<T>` would be an object that is an `Option`",
    label = "write `Option<&mut {T}>`",
    note = "`Option<&T>` and `Option<&mut T>` are references that may be null"
)]
pub trait OptionInsideMut<T: ?Sized> {}

/// Holds for nothing.
#[diagnostic::on_unimplemented(
    message = "`&&T` would be an object that is a reference",
    label = "write `&{T}`",
    note = "a guest's reference leads to the object itself"
)]
pub trait ReferenceInside<T: ?Sized> {}

/// Holds for nothing.
#[diagnostic::on_unimplemented(
    message = "a reference to `{T}` would be an object that is a `{T}`",
    label = "write `{T}`, or `Ptr<{T}>` for an address in the guest's memory",
    note = "`Ptr<E>` is an out-pointer: `ptr.write(cx, value)?`; several numbers in the guest's memory are \
            `&[E]` and `&mut [E]`",
    note = "to give numbers back, return them: a host function may return a tuple"
)]
pub trait NumberInside<T: ?Sized> {}

/// Holds for nothing.
#[diagnostic::on_unimplemented(
    message = "a reference to `{T}` would be an object that is a `{T}`",
    label = "write `&[E]` or `&mut [E]` for numbers in the guest's memory",
    note = "the guest passes the length beside the address; compare it with what you expect",
    note = "to give numbers back, return them: a host function may return a tuple"
)]
pub trait ArrayInside<T: ?Sized> {}

/// Holds for nothing.
#[diagnostic::on_unimplemented(
    message = "a guest cannot pass `{T}` by itself",
    label = "write `&{T}` for a host object",
    note = "text and bytes in the guest's memory are `&str` and `&[u8]`, or `Copied<str>` and `Copied<[u8]>` \
            to keep them; an object of the host is `&{T}`, or `Take<{T}>` to own it"
)]
pub trait OwnedText<T: ?Sized> {}

/// Holds for nothing.
#[diagnostic::on_unimplemented(
    message = "text in a guest's memory cannot be changed in place",
    label = "write `&mut [u8]`, or `&str` to read it",
    note = "UTF-8 would have to be checked again after the method"
)]
pub trait TextMut<T: ?Sized> {}

/// Holds for objects that may be borrowed mutably.
#[diagnostic::on_unimplemented(
    message = "the objects of this type are frozen",
    label = "cannot be borrowed mutably: write `&`",
    note = "`#[host_object(frozen)]` on the type says that nobody changes its objects"
)]
pub trait Mutable<T: ?Sized> {}

impl<T: ?Sized> Mutable<T> for Thawed {}

/// The objects of a type are never borrowed mutably.
#[derive(Debug)]
pub struct Frozen;

/// The objects of a type may be borrowed mutably.
#[derive(Debug)]
pub struct Thawed;

/// Looks at an object of type `P` that is to be borrowed mutably.
pub struct MutProbe<P: ?Sized>(PhantomData<P>);

impl<P: ?Sized> MutProbe<P> {
    /// The probe.
    pub const NEW: MutProbe<P> = MutProbe(PhantomData);
}

impl<P: ?Sized> fmt::Debug for MutProbe<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MutProbe")
    }
}

impl<P: ?Sized> Look for MutProbe<P> {}

impl<'a, T: HostObject> MutProbe<&'a mut T> {
    /// Says what is wrong.
    pub fn look(&self) -> Looked
    where
        T::Mutability: Mutable<&'a mut T>,
    {
        Looked
    }
}

impl<'a, T: HostObject> MutProbe<Option<&'a mut T>> {
    /// Says what is wrong.
    pub fn look(&self) -> Looked
    where
        T::Mutability: Mutable<&'a mut T>,
    {
        Looked
    }
}

/// Holds for nothing.
#[diagnostic::on_unimplemented(
    message = "a reference to `{T}` would be an object that is a `{T}`",
    label = "write `{T}`",
    note = "handles are passed by value"
)]
pub trait HandleInside<T: ?Sized> {}

/// Holds for nothing.
#[diagnostic::on_unimplemented(
    message = "`{T}` is no type of Wasm",
    label = "write `u32` or `u64`",
    note = "the host's `usize` is not the guest's: an address or a size of a 32-bit guest is a `u32`; \
            and integers have at most 64 bits"
)]
pub trait OtherInteger<T: ?Sized> {}

/// Looks at a result of type `R`.
pub struct ResultProbe<R>(PhantomData<R>);

impl<R> ResultProbe<R> {
    /// The probe.
    pub const NEW: ResultProbe<R> = ResultProbe(PhantomData);
}

impl<R> fmt::Debug for ResultProbe<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ResultProbe")
    }
}

impl<R> Look for ResultProbe<R> {}

/// Holds for nothing.
#[diagnostic::on_unimplemented(
    message = "a guest cannot be given `{T}` by itself",
    label = "write `New<{T}>` for a new object",
    note = "text and bytes go into the guest's memory: take `&mut [u8]` or `Ptr<E>`, and return how much \
            was written"
)]
pub trait OwnedTextResult<T: ?Sized> {}

/// Implements none of the traits above. Has a lifetime, for rustc looks at bounds without parameters
/// where they are written, not where they are used.
#[derive(Debug)]
pub struct Reason<'a>(PhantomData<&'a ()>);

macro_rules! reasons {
    ($($bound:ident)*) => {$(
        // Without any implementation rustc would suggest to write one.
        #[diagnostic::do_not_recommend]
        impl<T: ?Sized> $bound<T> for NoReason {}
    )*};
}

/// Implements the traits above, and stands nowhere.
#[derive(Debug)]
pub struct NoReason;

reasons! {
    OptionInside OptionInsideMut ReferenceInside NumberInside ArrayInside HandleInside OtherInteger
    OwnedText OwnedTextResult TextMut
}

macro_rules! explain {
    ($([$($generics:tt)*] $ty:ty: $bound:ident($inside:ty);)*) => {$(
        impl<'why, $($generics)*> Probe<$ty> {
            /// Says what is wrong.
            pub fn look(&self) -> Looked
            where
                Reason<'why>: $bound<$inside>,
            {
                Looked
            }
        }
    )*};
}

explain! {
    ['a, T] &'a Option<T>: OptionInside(T);
    ['a, T] &'a mut Option<T>: OptionInsideMut(T);
    ['a, 'b, T: ?Sized] &'a &'b T: ReferenceInside(T);
    ['a, 'b, T: ?Sized] &'a mut &'b T: ReferenceInside(T);
    ['a, 'b, T: ?Sized] &'a &'b mut T: ReferenceInside(T);
    ['a, 'b, T: ?Sized] &'a mut &'b mut T: ReferenceInside(T);
    ['a, T, const N: usize] &'a [T; N]: ArrayInside([T; N]);
    ['a, T, const N: usize] &'a mut [T; N]: ArrayInside([T; N]);
    ['a, T: GcRef] &'a Rooted<T>: HandleInside(Rooted<T>);
    ['a, T: GcRef] &'a mut Rooted<T>: HandleInside(Rooted<T>);
    ['a, T: GcRef] &'a ManuallyRooted<T>: HandleInside(ManuallyRooted<T>);
    ['a, T: GcRef] &'a mut ManuallyRooted<T>: HandleInside(ManuallyRooted<T>);
}

macro_rules! explain_references {
    ($($bound:ident: $($ty:ident)*;)*) => {$($(
        explain! {
            ['a] &'a $ty: $bound($ty);
            ['a] &'a mut $ty: $bound($ty);
        }
    )*)*};
}

explain_references! {
    NumberInside: bool char i8 i16 i32 i64 i128 isize u8 u16 u32 u64 u128 usize f32 f64 V128;
    HandleInside: Func Global I31 Memory Table Tag;
}

/// Explains types that are parameters only so that they are reported once.
macro_rules! explain_others {
    ($([$($generics:tt)*] $ty:ty as $out:ty: $bound:ident($inside:ty);)*) => {$(
        explain! { [$($generics)*] $ty: $bound($inside); }

        #[diagnostic::do_not_recommend]
        impl<$($generics)* Data: 'static> Param<Data, kind::Reported> for $ty {
            type Arg = Reported<$out>;
        }
    )*};
}

explain_others! {
    [] usize as usize: OtherInteger(usize);
    [] isize as isize: OtherInteger(isize);
    [] u128 as u128: OtherInteger(u128);
    [] i128 as i128: OtherInteger(i128);
    [] String as String: OwnedText(String);
    [T: 'static,] Vec<T> as Vec<T>: OwnedText(Vec<T>);
    ['a,] &'a mut str as &'static mut str: TextMut(str);
}

/// Explains types that are results only so that they are reported once, by themselves and in a `Result`.
macro_rules! explain_results {
    ($([$($generics:tt)*] $ty:ty: $bound:ident;)*) => {$(
        explain_results! { @each [$($generics)*] $ty: $bound($ty) }
        explain_results! { @each [$($generics)* E: 'static] Result<$ty, E>: $bound($ty) }
    )*};
    (@each [$($generics:tt)*] $ty:ty: $bound:ident($inside:ty)) => {
        impl<'why, $($generics)*> ResultProbe<$ty> {
            /// Says what is wrong.
            pub fn look(&self) -> Looked
            where
                Reason<'why>: $bound<$inside>,
            {
                Looked
            }
        }

        #[diagnostic::do_not_recommend]
        impl<$($generics)*> HostResult<kind::Reported> for $ty {
            type Values = ();
            type Error = Infallible;
            type Marker = ReturnsOf<$ty, kind::Reported>;

            fn marker(into_error: fn(Infallible) -> Error) -> Self::Marker {
                ReturnsOf::new(into_error)
            }

            fn into_result(self) -> Result<(), Infallible> {
                unreachable!("a result of this type is reported at compile time")
            }
        }
    };
}

explain_results! {
    [] String: OwnedTextResult;
    [T: 'static,] Vec<T>: OwnedTextResult;
    [] usize: OtherInteger;
    [] isize: OtherInteger;
    [] u128: OtherInteger;
    [] i128: OtherInteger;
}
