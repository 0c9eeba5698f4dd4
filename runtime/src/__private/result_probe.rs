//! Types of results that a guest cannot be given. Explains only, as `probe.rs` does for parameters: what is
//! accepted is the affair of `result.rs`.
//!
//! | on | finds |
//! |---|---|
//! | [`ResultProbe`] | types with certain traits, by themselves or inside another |
//! | [`AcceptedResult`] | results |
//! | [`ResultShape`] | shapes of types |
//! | [`NullableResult`] | any other `Option` |
//! | [`FallibleResult`] | any other `Result` |
//! | [`AnyResult`] | any other type |

use std::convert::Infallible;
use std::fmt;
use std::marker::PhantomData;

use super::call::Reported;
use super::gc::ByHandle;
use super::objects::Take;
use super::param::kind;
use super::probe::{explain, explain_by_trait, levels};
use super::reasons::{
    AnyValueResult, ArrayResult, DeclaredResult, FallibleObject, FunctionResult, NoReferenceResult,
    NotSendSync, NullableObject, NumberNeverNull, OtherInteger, OtherResult, OwnedTextResult,
    OwnerResult, Reason, SeveralResults, UnrootedResult,
};
use super::result::{HostResult, New, Returns};
use crate::api::convert::{WasmNumber, WasmTy};
use crate::api::func::arity::several_values;
use crate::api::refs::{GcRef, ManuallyRooted, Rooted};
use crate::api::value::{Ref, Val};
use crate::error::{Error, Result};

levels! {
    /// Looks at a result of type `P`.
    ResultProbe -> AcceptedResult;
    /// Looks whether it is one.
    AcceptedResult -> ResultShape;
    /// Looks at its shape.
    ResultShape -> NullableResult;
    /// Looks whether it is an `Option`.
    NullableResult -> FallibleResult;
    /// Looks whether it is a `Result`.
    FallibleResult -> AnyResult;
    =>
    /// Takes any type for none.
    AnyResult;
}

/// What a look at a result has found: that it is given as an `R`, by `Kind`.
pub struct SeenResult<R, Kind>(PhantomData<fn(R, Kind)>);

impl<R, Kind> SeenResult<R, Kind> {
    const NEW: SeenResult<R, Kind> = SeenResult(PhantomData);
}

impl SeenResult<(), kind::Value> {
    /// Nothing is returned.
    pub const NOTHING: SeenResult<(), kind::Value> = SeenResult::NEW;
}

impl<R, Kind> fmt::Debug for SeenResult<R, Kind> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SeenResult")
    }
}

/// Finds results.
pub trait LookResult<R, Kind> {
    /// Says nothing.
    fn look(&self) -> SeenResult<R, Kind>;
}

impl<R: HostResult<Kind>, Kind> LookResult<R, Kind> for AcceptedResult<R> {
    fn look(&self) -> SeenResult<R, Kind> {
        SeenResult::NEW
    }
}

/// The marker of a function whose result was reported: a program with one does not compile.
pub struct ReportedResult<R>(PhantomData<fn() -> R>);

impl<R> Clone for ReportedResult<R> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<R> Copy for ReportedResult<R> {}

impl<R> fmt::Debug for ReportedResult<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ReportedResult")
    }
}

impl<R: 'static> Returns for ReportedResult<R> {
    type Value = R;
    type Values = ();

    fn into_result(self, _: R) -> Result<()> {
        unreachable!("a result of this type is reported at compile time")
    }
}

#[diagnostic::do_not_recommend]
impl<R: 'static> HostResult<kind::Reported> for Reported<R> {
    type Values = ();
    type Error = Infallible;
    type Marker = ReportedResult<R>;

    fn marker(_: fn(Infallible) -> Error) -> ReportedResult<R> {
        ReportedResult(PhantomData)
    }

    fn into_result(self) -> Result<(), Infallible> {
        unreachable!("a result of this type is reported at compile time")
    }
}

/// What was explained.
type Explained<R> = SeenResult<Reported<R>, kind::Reported>;

/// As `explain`, for each type by itself and in a `Result`.
macro_rules! explain_fallible {
    ($level:ident: $([$($generics:tt)*] $ty:ty => $bound:ident($inside:ty);)*) => {$(
        explain! { $level -> Explained[]:
            [$($generics)*] $ty => $bound($inside);
            [$($generics)* E] Result<$ty, E> => $bound($inside);
        }
    )*};
}

/// As `explain_by_trait`, for each type by itself and in a `Result`.
macro_rules! explain_fallible_by_trait {
    ($(#[$doc:meta])* $name:ident, $bound:ident
        $([$($generics:tt)*] $kind:ty: $ty:ty => $inside:ty;)*) => {
        explain_by_trait! {
            $(#[$doc])*
            ResultProbe -> Explained[]: $name, $bound
            $(
                [$($generics)*] $kind: $ty => $inside;
                [$($generics)*, E] ($kind, kind::Fallible): Result<$ty, E> => $inside;
            )*
        }
    };
}

explain_fallible_by_trait! {
    /// Explains what has handles.
    LookDeclaredResult, DeclaredResult
    [T: ByHandle] kind::Value: T => T::Handle;
    [T: ByHandle] kind::OptionValue: Option<T> => Option<T::Handle>;
    [T: ByHandle] kind::Root: Rooted<T> => T::Handle;
    [T: ByHandle] kind::OptionRoot: Option<Rooted<T>> => Option<T::Handle>;
    [T: ByHandle] kind::New: New<T> => T::Handle;
    [T: ByHandle] kind::OptionNew: Option<New<T>> => Option<T::Handle>;
}

explain_fallible_by_trait! {
    /// Explains what must be rooted.
    LookUnrootedResult, UnrootedResult
    [T: GcRef] kind::Value: T => Rooted<T>;
    [T: GcRef] kind::OptionValue: Option<T> => Option<Rooted<T>>;
}

explain_fallible_by_trait! {
    /// Explains numbers that are never null.
    LookNumberResult, NumberNeverNull
    [T: WasmTy<Wasm: WasmNumber>] kind::OptionValue: Option<T> => T;
}

explain_fallible! { ResultShape:
    [] String => OwnedTextResult(String);
    [T,] Vec<T> => OwnedTextResult(Vec<T>);
    [] usize => OtherInteger(usize);
    [] isize => OtherInteger(isize);
    [] u128 => OtherInteger(u128);
    [] i128 => OtherInteger(i128);
    [] Option<usize> => OtherInteger(usize);
    [] Option<isize> => OtherInteger(isize);
    [] Option<u128> => OtherInteger(u128);
    [] Option<i128> => OtherInteger(i128);
    [T,] Rooted<T> => NoReferenceResult(T);
    [T,] Option<Rooted<T>> => NoReferenceResult(T);
    [T,] ManuallyRooted<T> => NoReferenceResult(T);
    [T: ?Sized,] Box<T> => OwnerResult(T);
    [T,] Take<T> => OwnerResult(T);
    [T,] New<T> => NotSendSync(T);
    [T,] Option<New<T>> => NotSendSync(T);
    [T, const N: usize,] [T; N] => ArrayResult(T);
    [] Val => AnyValueResult(Val);
    [] Ref => AnyValueResult(Ref);
}

macro_rules! explain_functions {
    ($([$($name:ident)*])*) => {$(
        explain_fallible! { ResultShape:
            [$($name,)* R,] fn($($name),*) -> R => FunctionResult(R);
        }
    )*};
}

explain_functions! { [] [A] [A B] [A B C] [A B C D] }

macro_rules! explain_tuples {
    ($($($name:ident $index:tt)*;)*) => {$(
        explain! { ResultShape -> Explained[]:
            [$($name),*] ($($name,)*) => SeveralResults(($($name,)*));
            [$($name,)* Err] Result<($($name,)*), Err> => SeveralResults(($($name,)*));
        }
    )*};
}

several_values!(explain_tuples);

explain_fallible! { NullableResult:
    [T,] Option<T> => NullableObject(T);
}

explain! { FallibleResult -> Explained[]:
    [T, E] Result<T, E> => FallibleObject(T);
}

explain! { AnyResult -> Explained[]:
    [T] T => OtherResult(T);
}
