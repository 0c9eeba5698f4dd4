//! Comparison of Rust types with those in a guest's file, which the macros read for `check = ".."`.
//! All at compile time, by traits: a bound that does not hold is the message. What is accepted here
//! is what the linker accepts.

use std::fmt;
use std::marker::PhantomData;

use super::export_types::Outcomes;
use super::result::{HostValues, Returns};
use super::signature::{ArgTypes, ExportArgTypes};
use crate::api::convert::WasmTy;
use crate::api::func::Func;
use crate::api::func::typed::WasmResults;
use crate::api::gc_object::{GcArray, GcStruct, GcType};
use crate::api::global::Global;
use crate::api::memory::Memory;
use crate::api::shared_memory::SharedMemory;
use crate::api::signature::names::{
    TypeNames, address, anyref, arrayref, defined, eqref, exnref, externref, func, funcref, global,
    i31ref, memory, nothing, nullexnref, nullexternref, nullfuncref, nullref, ref_any, ref_array,
    ref_defined, ref_eq, ref_exn, ref_extern, ref_func, ref_i31, ref_noexn, ref_noextern,
    ref_nofunc, ref_none, ref_struct, structref, table, tag, unchecked,
};
use crate::api::table::Table;
use crate::api::tag::Tag;
use crate::api::v128::V128;

/// The parameters of the guest's function that no Rust parameter stands for yet: `(first, rest)`,
/// `()` at the end.
pub struct Guest<L>(PhantomData<fn() -> L>);

/// All parameters of the guest's function.
pub fn guest<L>() -> Guest<L> {
    Guest(PhantomData)
}

impl<L> Guest<L> {
    /// Nothing may be left.
    pub fn end(self)
    where
        L: NothingLeft,
    {
    }
}

/// Rust types `R` to be compared with guest types `G`. The bounds stand on methods without arguments, where
/// rustc's messages are shortest.
pub struct Comparison<R, G>(PhantomData<fn(R, G)>);

/// Takes up the parameter behind a marker of a host function.
pub fn host_param<L, A: ArgTypes>(_guest: Guest<L>, _argument: &A) -> Comparison<A::Types, L> {
    Comparison(PhantomData)
}

/// Takes up the parameter behind a marker of an exported function.
pub fn export_param<L, P: ExportArgTypes>(
    _guest: Guest<L>,
    _argument: &P,
) -> Comparison<P::Types, L> {
    Comparison(PhantomData)
}

/// Takes up the result behind a marker of a host function; `G` is a tuple.
pub fn host_result<G, M: Returns>(_returns: &M) -> Comparison<<M::Values as HostValues>::Types, G> {
    Comparison(PhantomData)
}

/// Takes up the result behind a marker of an exported function; `G` is a tuple.
pub fn export_result<G, O: Outcomes>(
    _outcome: &O,
) -> Comparison<<O::Wasm as WasmResults>::Types, G> {
    Comparison(PhantomData)
}

/// Takes up a field that is no function.
pub fn export_item<T, G>() -> Comparison<T, G> {
    Comparison(PhantomData)
}

impl<R, G> Comparison<R, G> {
    /// Compares a parameter of a host function; gives the guest's parameters after it.
    pub fn host_param(self) -> Guest<R::Rest>
    where
        R: Slots<G>,
        R::GuestFirst: Present,
        R::GuestSecond: Present,
        R::First: TakenFrom<R::GuestFirst>,
        R::Second: TakenFrom<R::GuestSecond>,
    {
        Guest(PhantomData)
    }

    /// Compares a parameter of an exported function; gives the guest's parameters after it.
    pub fn export_param(self) -> Guest<R::Rest>
    where
        R: Slots<G>,
        R::GuestFirst: Present,
        R::GuestSecond: Present,
        R::First: PassedAs<R::GuestFirst>,
        R::Second: PassedAs<R::GuestSecond>,
    {
        Guest(PhantomData)
    }

    /// Compares the results of a host function.
    pub fn host_result(self)
    where
        R: SameNumber<G>,
        R::Pairs: AllGiven,
    {
    }

    /// Compares the results of an exported function.
    pub fn export_result(self)
    where
        R: SameNumber<G>,
        R::Pairs: AllReturned,
    {
    }

    /// Compares a field that is no function.
    pub fn export_item(self)
    where
        R: FoundAs<G>,
    {
    }

    /// The guest does not export what the field is for.
    pub fn export_absent(self)
    where
        R: MayBeAbsent,
    {
    }
}

/// The Wasm types of one Rust parameter, before the guest's parameters `L`. What the guest does not have
/// is `nothing`.
pub trait Slots<L>: TypeNames {
    /// The type in the first place.
    type First;
    /// That of the guest.
    type GuestFirst;
    /// The type in the second place.
    type Second;
    /// That of the guest.
    type GuestSecond;
    /// The guest's parameters after these.
    type Rest;
}

macro_rules! slots {
    ($([$($generics:ident)*] $types:ty, $list:ty: $first:ty, $second:ty => $guest_first:ty, $guest_second:ty; $rest:ty;)*) => {$(
        #[diagnostic::do_not_recommend]
        impl<$($generics),*> Slots<$list> for $types
        where
            $types: TypeNames,
        {
            type First = $first;
            type GuestFirst = $guest_first;
            type Second = $second;
            type GuestSecond = $guest_second;
            type Rest = $rest;
        }
    )*};
}

slots! {
    [L] (), L: (), () => (), (); L;
    [T] (T,), (): T, () => nothing, (); ();
    [T G R] (T,), (G, R): T, () => G, (); R;
    [T U] (T, U), (): T, U => nothing, (); ();
    [T U G] (T, U), (G, ()): T, U => G, nothing; ();
    [T U G H R] (T, U), (G, (H, R)): T, U => G, H; R;
}

/// A type in the guest: not [`nothing`].
#[diagnostic::on_unimplemented(
    message = "the guest's function has fewer parameters than this one",
    label = "the guest has no parameter for this",
    note = "remove the parameter, or add it to the guest: the file that `check` names"
)]
pub trait Present {}

/// No parameters.
#[diagnostic::on_unimplemented(
    message = "the guest's function has more parameters than this one",
    label = "the guest has these after the ones here: `{Self}`",
    note = "add the parameters, or remove them from the guest: the file that `check` names"
)]
pub trait NothingLeft {}

impl NothingLeft for () {}

/// A Wasm type of a parameter of a host function, where the guest passes a `G`.
#[diagnostic::on_unimplemented(
    message = "the guest passes `{G}`, but this parameter takes `{Self}`",
    label = "`{Self}` in Wasm, `{G}` in the guest",
    note = "`i32`, `u32`, smaller integers, `bool` and `char` take `i32`; `i64` and `u64` take `i64`; \
            `&T`, `&mut T` and `Rooted<ExternRef<T>>` take `externref`; `Func` takes `funcref`; `&str` and slices \
            take an address and a length"
)]
pub trait TakenFrom<G> {}

/// A Wasm type of a result of a host function, where the guest expects a `G`.
#[diagnostic::on_unimplemented(
    message = "the guest expects `{G}`, but this function returns `{Self}`",
    label = "`{Self}` in Wasm, `{G}` in the guest",
    note = "`i32`, `u32`, smaller integers, `bool` and `char` are `i32`; `i64` and `u64` are `i64`; \
            `New<T>` and `Rooted<ExternRef<T>>` are `ref_extern`, which is an `externref` that is not null; \
            `Func` is `ref_func`"
)]
pub trait GivenAs<G> {}

/// A Wasm type of a parameter of an exported function, where the guest takes a `G`.
#[diagnostic::on_unimplemented(
    message = "the guest takes `{G}`, but `{Self}` is declared",
    label = "`{Self}` in Wasm, `{G}` in the guest",
    note = "`i32`, `u32`, smaller integers, `bool` and `char` are `i32`; `i64` and `u64` are `i64`; \
            `New<T>` and `Rooted<ExternRef<T>>` are `externref`; `Func` is `funcref`"
)]
pub trait PassedAs<G> {}

/// A Wasm type of a result of an exported function, where the guest returns a `G`.
#[diagnostic::on_unimplemented(
    message = "the guest returns `{G}`, but `{Self}` is declared",
    label = "`{Self}` in Wasm, `{G}` in the guest",
    note = "`i32`, `u32`, smaller integers, `bool` and `char` are `i32`; `i64` and `u64` are `i64`; \
            `Rooted<ExternRef<T>>` is `externref`; `Func` is `funcref`"
)]
pub trait ComesAs<G> {}

/// The Wasm types of results, as many as the guest's tuple `G` has.
#[diagnostic::on_unimplemented(
    message = "the guest's function has another number of results",
    label = "`{Self}` in Wasm, `{G}` in the guest",
    note = "no result is `()`, several are a tuple"
)]
pub trait SameNumber<G> {
    /// A [`Pair`] for each.
    type Pairs;
}

/// A Wasm type of a result, and the guest's.
pub struct Pair<T, G>(PhantomData<fn(T, G)>);

/// Results of a host function that the guest can take.
pub trait AllGiven {}

/// Results of the guest that are what an exported function is declared to return.
pub trait AllReturned {}

/// A field that is no function, where the guest exports a `G`.
#[diagnostic::on_unimplemented(
    message = "the guest's export of this name is a {G}, not a `{Self}`",
    label = "a {G} in the guest",
    note = "a `Memory`, a `SharedMemory`, a `Table`, a `Global`, a `Func` and a `Tag` stand for what is called so in Wasm"
)]
pub trait FoundAs<G> {}

/// A field that is no function, where the guest exports nothing of the name.
#[diagnostic::on_unimplemented(
    message = "the guest does not export this",
    label = "no export of this name in the guest",
    note = "if a guest may do without it, write `Option<{Self}>`"
)]
pub trait MayBeAbsent {}

macro_rules! tuples {
    ($($($name:ident $index:tt)*;)*) => {$(
        tuples!(@ [$($name)*] [GA GB GC GD GE GF GG GH GI GJ GK GL GM GN GO GP] []);
    )*};
    (@ [$first:ident $($rest:ident)*] [$guest:ident $($more:ident)*] [$($done:tt)*]) => {
        tuples!(@ [$($rest)*] [$($more)*] [$($done)* $first $guest]);
    };
    (@ [] [$($more:ident)*] [$($t:ident $g:ident)*]) => {
        #[diagnostic::do_not_recommend]
        impl<$($t, $g),*> SameNumber<($($g,)*)> for ($($t,)*) {
            type Pairs = ($(Pair<$t, $g>,)*);
        }

        impl<$($t: GivenAs<$g>, $g),*> AllGiven for ($(Pair<$t, $g>,)*) {}
        impl<$($t: ComesAs<$g>, $g),*> AllReturned for ($(Pair<$t, $g>,)*) {}
    };
}

crate::api::func::arity::any_values!(tuples);

macro_rules! same {
    ($($ty:ty)*) => {$(
        same! { @ $ty: TakenFrom GivenAs PassedAs ComesAs }
    )*};
    (@ $ty:ty: $($relation:ident)*) => {$(
        #[diagnostic::do_not_recommend]
        impl $relation<$ty> for $ty {}
    )*};
}

same! { () i32 i64 f32 f64 V128 }

// Which of the two a memory has is known when the guest is linked.
#[diagnostic::do_not_recommend]
impl TakenFrom<i32> for address {}

#[diagnostic::do_not_recommend]
impl TakenFrom<i64> for address {}

macro_rules! uncompared {
    ($($relation:ident)*) => {$(
        #[diagnostic::do_not_recommend]
        impl<T> $relation<unchecked> for T {}

        // Reported as not present.
        #[diagnostic::do_not_recommend]
        impl<T> $relation<nothing> for T {}
    )*};
}

uncompared! { TakenFrom GivenAs PassedAs ComesAs }

macro_rules! present {
    ($($ty:ty)*) => {$(
        #[diagnostic::do_not_recommend]
        impl Present for $ty {}
    )*};
}

present! {
    () i32 i64 f32 f64 V128 unchecked
    externref nullexternref funcref nullfuncref exnref nullexnref
    anyref eqref i31ref structref arrayref nullref
    ref_extern ref_noextern ref_func ref_nofunc ref_exn ref_noexn
    ref_any ref_eq ref_i31 ref_struct ref_array ref_none
}

/// Rows of the specification's table of subtypes: what is a subtype of the first, itself included.
/// Where Rust takes a value, null is left to the check of each call.
macro_rules! subtypes {
    ($($super_null:ident $super_ref:ident: $($sub_null:ident $sub_ref:ident),*;)*) => {$($(
        subtypes! { @null_aside TakenFrom ComesAs: $super_null $super_ref, $sub_null $sub_ref }
        subtypes! { @null_aside PassedAs: $super_null $super_ref, $sub_null $sub_ref }
        subtypes! { @impls GivenAs:
            $sub_null as $super_null, $sub_ref as $super_null, $sub_ref as $super_ref }
    )*)*};
    (@null_aside $($relation:ident)*: $super_null:ident $super_ref:ident, $sub_null:ident $sub_ref:ident) => {$(
        subtypes! { @impls $relation: $super_null as $sub_null, $super_null as $sub_ref,
            $super_ref as $sub_null, $super_ref as $sub_ref }
    )*};
    (@impls $relation:ident: $($rust:ident as $guest:ident),*) => {$(
        #[diagnostic::do_not_recommend]
        impl $relation<$guest> for $rust {}
    )*};
}

subtypes! {
    externref ref_extern: externref ref_extern, nullexternref ref_noextern;
    nullexternref ref_noextern: nullexternref ref_noextern;
    funcref ref_func: funcref ref_func, nullfuncref ref_nofunc;
    nullfuncref ref_nofunc: nullfuncref ref_nofunc;
    exnref ref_exn: exnref ref_exn, nullexnref ref_noexn;
    nullexnref ref_noexn: nullexnref ref_noexn;
    anyref ref_any: anyref ref_any, eqref ref_eq, i31ref ref_i31, structref ref_struct,
        arrayref ref_array, nullref ref_none;
    eqref ref_eq: eqref ref_eq, i31ref ref_i31, structref ref_struct, arrayref ref_array,
        nullref ref_none;
    i31ref ref_i31: i31ref ref_i31, nullref ref_none;
    structref ref_struct: structref ref_struct, nullref ref_none;
    arrayref ref_array: arrayref ref_array, nullref ref_none;
    nullref ref_none: nullref ref_none;
}

/// What a Rust type may be passed as although it has values that the guest's type does not have: the
/// other direction of the table, itself not included. Each call is checked.
macro_rules! supertypes {
    ($($sub_null:ident $sub_ref:ident: $($super_null:ident $super_ref:ident),*;)*) => {$($(
        subtypes! { @null_aside PassedAs: $sub_null $sub_ref, $super_null $super_ref }
    )*)*};
}

supertypes! {
    nullexternref ref_noextern: externref ref_extern;
    nullfuncref ref_nofunc: funcref ref_func;
    nullexnref ref_noexn: exnref ref_exn;
    eqref ref_eq: anyref ref_any;
    i31ref ref_i31: anyref ref_any, eqref ref_eq;
    structref ref_struct: anyref ref_any, eqref ref_eq;
    arrayref ref_array: anyref ref_any, eqref ref_eq;
    nullref ref_none: anyref ref_any, eqref ref_eq, i31ref ref_i31, structref ref_struct,
        arrayref ref_array;
}

/// What the type that a Rust type defines may be used as besides itself, which is compared when the guest
/// is linked: null, and the supertypes.
macro_rules! defined {
    ($([$bound:path] $super_null:ident $super_ref:ident;)*) => {$(
        defined! { @impls $bound, GivenAs: defined as $super_null,
            ref_defined as $super_null, ref_defined as $super_ref }
        defined! { @impls $bound, PassedAs: defined as $super_null, defined as $super_ref,
            ref_defined as $super_null, ref_defined as $super_ref }
    )*};
    (@null $($relation:ident)*) => {$(
        defined! { @impls GcType, $relation: defined as nullref, defined as ref_none,
            ref_defined as nullref, ref_defined as ref_none }
    )*};
    (@impls $bound:path, $relation:ident: $($rust:ident as $guest:ident),*) => {$(
        #[diagnostic::do_not_recommend]
        impl<T: $bound> $relation<$guest> for $rust<T> {}
    )*};
}

defined! { @null TakenFrom ComesAs PassedAs }

defined! {
    [GcType] anyref ref_any;
    [GcType] eqref ref_eq;
    [GcStruct] structref ref_struct;
    [GcArray] arrayref ref_array;
}

macro_rules! items {
    ($($handle:ident as $kind:ident;)*) => {$(
        #[diagnostic::do_not_recommend]
        impl FoundAs<$kind> for $handle {}

        #[diagnostic::do_not_recommend]
        impl<T: FoundAs<$kind>> FoundAs<$kind> for Option<T> {}
    )*};
}

items! {
    Memory as memory;
    Table as table;
    Global as global;
    Func as func;
    Tag as tag;
}

#[diagnostic::do_not_recommend]
impl<T: WasmTy> FoundAs<global> for Global<T> {}

#[diagnostic::do_not_recommend]
impl FoundAs<memory> for SharedMemory {}

impl<T> MayBeAbsent for Option<T> {}

impl<L> fmt::Debug for Guest<L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Guest")
    }
}

impl<R, G> fmt::Debug for Comparison<R, G> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Comparison")
    }
}

impl<T, G> fmt::Debug for Pair<T, G> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pair")
    }
}
