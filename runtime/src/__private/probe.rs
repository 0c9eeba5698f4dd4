//! Types of parameters that would be accepted for what they are not, or refused without a
//! hint. Finds the explanation, whose text is in `reasons.rs`; what is accepted is the affair of
//! `param.rs`.
//!
//! A type is known by its traits and its shape, never by its spelling. `Probe::<P>::NEW.look()` is
//! resolved by rustc like any method call: on the probe, then on what it dereferences to, and so on.
//!
//! | on | finds |
//! |---|---|
//! | [`Probe`] | shapes, then types with certain traits, that would be accepted for what they are not |
//! | [`Accepted`] | parameters |
//! | [`Rooting`] | roots that lead to nothing |
//! | [`Shaped`] | shapes of types that are refused |
//! | [`Borrowed`] | borrows that are refused |
//! | [`Unsized`] | borrows of types without a size |
//! | [`Nullable`] | any other `Option` |
//! | [`Other`] | any other type, which is then reported as no [`Param`] |
//!
//! A method that explains has a bound that holds for nothing, and says why. The parameter goes on from
//! there as one that is [`Reported`], so that nothing else is said about it.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;
use std::rc::Rc;
use std::sync::Arc;

use super::call::Reported;
use super::gc::{ByHandle, GcHandle};
use super::memory::{Copied, GuestData, Ptr};
use super::objects::Take;
use super::param::{Param, kind};
use super::reasons::{
    AnyValue, ArrayByItself, ArrayInside, ContextShared, Declared, ElementOther, FunctionOfOther,
    FunctionPointer, MemoryNeverNull, Mutable, NewInside, NoReference, NoTarget, NotSendSync,
    NotUnsized, NumberInside, NumberNeverNull, OptionInside, OptionInsideMut, OptionOf,
    OtherInteger, OwnedText, OwnerInside, Reason, ReferenceInside, ResultInside, SeveralValues,
    StoreInside, TextMut, Unrooted, ValueInside,
};
use super::result::New;
use crate::api::caller::Caller;
use crate::api::convert::{WasmNumber, WasmTy};
use crate::api::func::arity::any_values;
use crate::api::func::typed::TypedFunc;
use crate::api::global::Global;
use crate::api::host_cx::HostCx;
use crate::api::memory::Memory;
use crate::api::object::HostObject;
use crate::api::refs::{GcRef, ManuallyRooted, Rooted};
use crate::api::store::{Store, StoreContext, StoreContextMut};
use crate::api::table::Table;
use crate::api::tag::Tag;
use crate::api::v128::V128;
use crate::api::value::{Ref, Val};
use crate::error::Result;

/// Declares probes, each with the one that it dereferences to, and the last.
macro_rules! levels {
    ($($(#[$doc:meta])* $name:ident -> $next:ident;)* => $(#[$last_doc:meta])* $last:ident;) => {$(
        $(#[$doc])*
        pub struct $name<P: ?Sized>($next<P>);

        impl<P: ?Sized> $name<P> {
            /// The probe.
            pub const NEW: $name<P> = $name($next::NEW);
        }

        impl<P: ?Sized> ::std::ops::Deref for $name<P> {
            type Target = $next<P>;

            fn deref(&self) -> &$next<P> {
                &self.0
            }
        }

        impl<P: ?Sized> ::std::fmt::Debug for $name<P> {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                f.write_str(stringify!($name))
            }
        }
    )*

        $(#[$last_doc])*
        pub struct $last<P: ?Sized>(::std::marker::PhantomData<P>);

        impl<P: ?Sized> $last<P> {
            /// The probe.
            pub const NEW: $last<P> = $last(::std::marker::PhantomData);
        }

        impl<P: ?Sized> ::std::fmt::Debug for $last<P> {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                f.write_str(stringify!($last))
            }
        }
    };
}

levels! {
    /// Looks at a parameter of type `P`.
    Probe -> Accepted;
    /// Looks whether it is a parameter.
    Accepted -> Rooting;
    /// Looks whether it is a root.
    Rooting -> Shaped;
    /// Looks at its shape.
    Shaped -> Borrowed;
    /// Looks whether it is a borrow.
    Borrowed -> Unsized;
    /// Looks whether it is a borrow of a type that may have no size.
    Unsized -> Nullable;
    /// Looks whether it is an `Option`.
    Nullable -> Other;
    =>
    /// Looks at nothing.
    Other;
}

impl<P: ?Sized> Other<P> {
    /// Says nothing.
    pub fn look<D, Kind>(&self) -> Seen<P, D, Kind> {
        Seen::NEW
    }
}

/// What a look at a parameter has found: that it is passed as a `P`, in stores of `D`, by `Kind`.
pub struct Seen<P: ?Sized, D, Kind>(PhantomData<fn(*const P, D, Kind)>);

impl<P: ?Sized, D, Kind> Seen<P, D, Kind> {
    const NEW: Seen<P, D, Kind> = Seen(PhantomData);

    /// After another look.
    #[must_use]
    pub fn and(self, _: Looked) -> Self {
        self
    }
}

impl<P: ?Sized, D, Kind> fmt::Debug for Seen<P, D, Kind> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Seen")
    }
}

/// Finds parameters.
pub trait LookParam<P: ?Sized, D, Kind> {
    /// Says nothing.
    fn look(&self) -> Seen<P, D, Kind>;
}

impl<P: ?Sized + Param<D, Kind>, D: 'static, Kind> LookParam<P, D, Kind> for Accepted<P> {
    fn look(&self) -> Seen<P, D, Kind> {
        Seen::NEW
    }
}

// Before the store's type is inferred from it: another one than the block's is reported as such.
impl<'a, 'b, T> Probe<&'a mut Caller<'b, T>> {
    /// Says nothing.
    pub fn look<D, Kind>(&self) -> Seen<&'a mut Caller<'b, T>, D, Kind> {
        Seen::NEW
    }
}

/// Explains types by their shape. What a look has found then is named with the parameters that it has
/// besides the type.
macro_rules! explain {
    ($level:ident -> $found:ident $params:tt:
        $([$($generics:tt)*] $ty:ty => $bound:ident($inside:ty);)*) => {$(
        explain! { @each $level $found $params [$($generics)*] $ty => $bound($inside) }
    )*};
    (@each $level:ident $found:ident [$($param:ident)?]
        [$($generics:tt)*] $ty:ty => $bound:ident($inside:ty)) => {
        impl<$($generics)*> $level<$ty> {
            /// Says what is wrong.
            pub fn look<'why $(, $param)?>(&self) -> $found<$ty $(, $param)?>
            where
                Reason<'why>: $bound<$inside, $ty>,
            {
                <$found<$ty $(, $param)?>>::NEW
            }
        }
    };
}

/// Explains types by traits of what is inside. The trait's parameter keeps the shapes apart for rustc.
macro_rules! explain_by_trait {
    ($(#[$doc:meta])* $level:ident -> $found:ident[$($param:ident)?]: $name:ident, $bound:ident
        $([$($generics:tt)*] $kind:ty: $ty:ty => $inside:ty $(where $of:ty: $has:ident)?;)*) => {
        $(#[$doc])*
        pub trait $name<Kind> {
            /// The type.
            type Given;
            /// What else the explanation names.
            type Inside: ?Sized;

            /// Says what is wrong.
            fn look<'why $(, $param)?>(&self) -> $found<Self::Given $(, $param)?>
            where
                Reason<'why>: $bound<Self::Inside, Self::Given>,
            {
                <$found<Self::Given $(, $param)?>>::NEW
            }
        }

        $(
            impl<$($generics)*> $name<$kind> for $level<$ty>
            $(where $of: $has)?
            {
                type Given = $ty;
                type Inside = $inside;
            }
        )*
    };
}

pub(super) use {explain, explain_by_trait, levels};

/// What was explained.
type Explained<P, D> = Seen<Reported<P>, D, kind::Reported>;

// What would be an object.

explain! { Probe -> Explained[Data]:
    ['a, T] &'a Option<T> => OptionInside(T);
    ['a, T] &'a mut Option<T> => OptionInsideMut(T);
    ['a, 'b, T: ?Sized] &'a &'b T => ReferenceInside(T);
    ['a, 'b, T: ?Sized] &'a mut &'b T => ReferenceInside(T);
    ['a, 'b, T: ?Sized] &'a &'b mut T => ReferenceInside(T);
    ['a, 'b, T: ?Sized] &'a mut &'b mut T => ReferenceInside(T);
    ['a, T, const N: usize] &'a [T; N] => ArrayInside([T; N]);
    ['a, T, const N: usize] &'a mut [T; N] => ArrayInside([T; N]);
    ['a, T] &'a Take<T> => ValueInside(Take<T>);
    ['a, T: ?Sized + GuestData] &'a Copied<T> => ValueInside(Copied<T>);
    ['a, E] &'a Ptr<E> => ValueInside(Ptr<E>);
    ['a, T] &'a New<T> => NewInside(T);
    ['a, T] &'a mut New<T> => NewInside(T);
    ['a, T] &'a Store<T> => StoreInside(T);
    ['a, T] &'a mut Store<T> => StoreInside(T);
}

macro_rules! explain_references {
    ($($bound:ident: $($ty:ident)*;)*) => {$($(
        explain! { Probe -> Explained[Data]:
            ['a] &'a $ty => $bound($ty);
            ['a] &'a mut $ty => $bound($ty);
            ['a] Option<&'a $ty> => $bound($ty);
            ['a] Option<&'a mut $ty> => $bound($ty);
        }
    )*)*};
}

explain_references! {
    NumberInside: bool char i8 i16 i32 i64 i128 isize u8 u16 u32 u64 u128 usize f32 f64 V128;
    ValueInside: Global Memory Table Tag;
    AnyValue: Val Ref;
}

explain_by_trait! {
    /// Explains what is passed by value.
    Probe -> Explained[Data]: LookValue, ValueInside
    ['a, T: WasmTy] kind::Shared: &'a T => T;
    ['a, T: WasmTy] kind::Exclusive: &'a mut T => T;
    ['a, T: WasmTy] kind::OptionShared: Option<&'a T> => Option<T> where Option<T>: WasmTy;
    ['a, T: WasmTy] kind::OptionExclusive: Option<&'a mut T> => Option<T> where Option<T>: WasmTy;
    [T: WasmTy] kind::Take: Take<T> => T;
}

explain_by_trait! {
    /// Explains what must be rooted.
    Probe -> Explained[Data]: LookUnrooted, Unrooted
    [T: GcRef] kind::Value: T => Rooted<T>;
    [T: GcRef] kind::OptionValue: Option<T> => Option<Rooted<T>>;
    ['a, T: GcRef] kind::Shared: &'a T => Rooted<T>;
    ['a, T: GcRef] kind::Exclusive: &'a mut T => Rooted<T>;
    ['a, T: GcRef] kind::OptionShared: Option<&'a T> => Option<Rooted<T>>;
    ['a, T: GcRef] kind::OptionExclusive: Option<&'a mut T> => Option<Rooted<T>>;
    [T: GcRef] kind::Take: Take<T> => Rooted<T>;
}

explain_by_trait! {
    /// Explains what has handles.
    Probe -> Explained[Data]: LookDeclared, Declared
    [T: ByHandle] kind::Value: T => T::Handle;
    [T: ByHandle] kind::OptionValue: Option<T> => Option<T::Handle>;
    ['a, T: ByHandle] kind::Shared: &'a T => T::Handle;
    ['a, T: ByHandle] kind::Exclusive: &'a mut T => T::Handle;
    ['a, T: ByHandle] kind::OptionShared: Option<&'a T> => Option<T::Handle>;
    ['a, T: ByHandle] kind::OptionExclusive: Option<&'a mut T> => Option<T::Handle>;
    [T: ByHandle] kind::Take: Take<T> => T::Handle;
    [T: ByHandle] kind::Root: Rooted<T> => T::Handle;
    [T: ByHandle] kind::OptionRoot: Option<Rooted<T>> => Option<T::Handle>;
}

explain_by_trait! {
    /// Explains roots of what is no reference but has one inside.
    Probe -> Explained[Data]: LookRootOfHandle, ValueInside
    [H: GcHandle] kind::Root: Rooted<H> => H;
    [H: GcHandle] kind::OptionRoot: Option<Rooted<H>> => Option<H>;
}

explain_by_trait! {
    /// Explains numbers that are never null.
    Probe -> Explained[Data]: LookNumber, NumberNeverNull
    [T: WasmTy<Wasm: WasmNumber>] kind::OptionValue: Option<T> => T;
    ['a, T: WasmTy<Wasm: WasmNumber>] kind::OptionShared: Option<&'a T> => T;
    ['a, T: WasmTy<Wasm: WasmNumber>] kind::OptionExclusive: Option<&'a mut T> => T;
}

// What is refused.

explain_by_trait! {
    /// Explains roots of references that lead to nothing.
    Rooting -> Explained[Data]: LookRoot, NoTarget
    [T: GcRef] kind::Root: Rooted<T> => T;
    [T: GcRef] kind::OptionRoot: Option<Rooted<T>> => T;
    [T: GcRef] kind::OwnedRoot: ManuallyRooted<T> => T;
    [T: GcRef] kind::OptionOwnedRoot: Option<ManuallyRooted<T>> => T;
}

explain! { Shaped -> Explained[Data]:
    [T] Rooted<T> => NoReference(T);
    [T] Option<Rooted<T>> => NoReference(T);
    [T] ManuallyRooted<T> => NoReference(T);
    [T] Option<ManuallyRooted<T>> => NoReference(T);
    [T: ?Sized] Box<T> => OwnerInside(T);
    [T: ?Sized] Arc<T> => OwnerInside(T);
    [T: ?Sized] Rc<T> => OwnerInside(T);
    ['a, B: ?Sized + ToOwned] Cow<'a, B> => OwnerInside(B);
    [] String => OwnedText(String);
    [T] Vec<T> => OwnedText(Vec<T>);
    ['a] &'a mut str => TextMut(str);
    ['a] Option<&'a str> => MemoryNeverNull(&'a str);
    ['a, T] Option<&'a [T]> => MemoryNeverNull(&'a [T]);
    ['a, T] Option<&'a mut [T]> => MemoryNeverNull(&'a mut [T]);
    [T: ?Sized + GuestData] Option<Copied<T>> => MemoryNeverNull(Copied<T>);
    ['a, T] &'a [T] => ElementOther(T);
    ['a, T] &'a mut [T] => ElementOther(T);
    [T] Copied<[T]> => ElementOther(T);
    [E] Ptr<E> => ElementOther(E);
    [T, const N: usize] [T; N] => ArrayByItself(T);
    [T, E] Result<T, E> => ResultInside(T);
    [T] New<T> => NewInside(T);
    [T] Option<New<T>> => NewInside(T);
    ['a, T] Caller<'a, T> => StoreInside(T);
    ['a, 'b, T] &'a Caller<'b, T> => StoreInside(T);
    ['a, T] StoreContextMut<'a, T> => StoreInside(T);
    ['a, 'b, T] &'a mut StoreContextMut<'b, T> => StoreInside(T);
    ['a, T] StoreContext<'a, T> => StoreInside(T);
    ['a, 'b, S] &'a HostCx<'b, S> => ContextShared(&'a mut HostCx<'b, S>);
    ['a, S] HostCx<'a, S> => ContextShared(&'a mut HostCx<'a, S>);
    [] Val => AnyValue(Val);
    [] Ref => AnyValue(Ref);
    [P, R] TypedFunc<P, R> => FunctionOfOther((P, R));
    [P, R] Option<TypedFunc<P, R>> => FunctionOfOther((P, R));
    [] usize => OtherInteger(usize);
    [] isize => OtherInteger(isize);
    [] u128 => OtherInteger(u128);
    [] i128 => OtherInteger(i128);
    [] Option<usize> => OtherInteger(usize);
    [] Option<isize> => OtherInteger(isize);
    [] Option<u128> => OtherInteger(u128);
    [] Option<i128> => OtherInteger(i128);
}

macro_rules! explain_tuples {
    ($($($name:ident $index:tt)*;)*) => {$(
        explain! { Shaped -> Explained[Data]:
            [$($name),*] ($($name,)*) => SeveralValues(($($name,)*));
        }
    )*};
}

any_values!(explain_tuples);

macro_rules! explain_functions {
    ($([$($name:ident)*])*) => {$(
        explain! { Shaped -> Explained[Data]:
            [$($name,)* R] fn($($name),*) -> R => FunctionPointer(TypedFunc<($($name,)*), R>);
        }
    )*};
}

explain_functions! { [] [A] [A B] [A B C] [A B C D] }

explain_by_trait! {
    /// Explains objects that threads cannot share.
    Borrowed -> Explained[Data]: LookBorrowed, NotSendSync
    ['a, T] kind::Shared: &'a T => T;
    ['a, T] kind::Exclusive: &'a mut T => T;
    ['a, T] kind::OptionShared: Option<&'a T> => T;
    ['a, T] kind::OptionExclusive: Option<&'a mut T> => T;
    [T] kind::Take: Take<T> => T;
    [T] kind::OptionTake: Option<Take<T>> => T;
}

explain_by_trait! {
    /// Explains objects without a size.
    Unsized -> Explained[Data]: LookUnsized, NotUnsized
    ['a, T: ?Sized] kind::Shared: &'a T => T;
    ['a, T: ?Sized] kind::Exclusive: &'a mut T => T;
    ['a, T: ?Sized] kind::OptionShared: Option<&'a T> => T;
    ['a, T: ?Sized] kind::OptionExclusive: Option<&'a mut T> => T;
}

explain! { Nullable -> Explained[Data]:
    [T] Option<T> => OptionOf(T);
}

// Mutable borrows.

/// Proof that a probe looked at something besides a parameter.
#[derive(Debug)]
pub struct Looked;

/// Types without anything to say about them.
pub trait Look {
    /// Says nothing.
    fn look(&self) -> Looked {
        Looked
    }
}

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
