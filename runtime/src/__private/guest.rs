//! Comparison of Rust types with those in a guest's file, which the macros read for `check = ".."`.
//! All at compile time, by traits: a bound that does not hold is the message. What is accepted here
//! is what the linker accepts.

use std::fmt;
use std::marker::PhantomData;

use super::export_types::{Outcomes, Passed};
use super::result::{HostValues, Returns};
use super::signature::ArgTypes;
use crate::api::convert::{WasmBasic, WasmTy};
use crate::api::func::Func;
use crate::api::func::typed::WasmResults;
use crate::api::global::Global;
use crate::api::memory::Memory;
use crate::api::signature::names::TypeNames;
use crate::api::table::Table;
use crate::api::v128::V128;

/// The types and kinds in a guest, called as in the text format.
pub mod wasm {
    pub use crate::api::signature::names::{
        anyref, arrayref, eqref, exnref, externref, funcref, i31ref, nullexnref, nullexternref,
        nullfuncref, nullref, ref_any, ref_array, ref_eq, ref_exn, ref_extern, ref_func, ref_i31,
        ref_noexn, ref_noextern, ref_nofunc, ref_none, ref_struct, structref,
    };
    pub use crate::api::v128::V128 as v128;

    macro_rules! names {
        ($($(#[$doc:meta])* $name:ident;)*) => {$(
            $(#[$doc])*
            #[allow(non_camel_case_types, reason = "as the text format calls it")]
            #[derive(Debug)]
            pub struct $name;
        )*};
    }

    names! {
        /// A type of the guest's own: compared when the guest is linked.
        unchecked;
        /// A memory.
        memory;
        /// A table.
        table;
        /// A global.
        global;
        /// A function.
        func;
        /// A tag.
        tag;
        /// No export of that name.
        nothing;
    }
}

/// The parameters of the guest's function that no Rust parameter stands for yet: `(first, rest)`,
/// `()` at the end.
pub struct Guest<L>(PhantomData<fn() -> L>);

/// All parameters of the guest's function.
pub fn guest<L>() -> Guest<L> {
    Guest(PhantomData)
}

/// Compares the parameter behind a marker of a host function; gives the guest's parameters after it.
pub fn guest_passes<L, A>(_guest: Guest<L>, _argument: &A) -> Guest<<A::Types as Slots<L>>::Rest>
where
    A: ArgTypes,
    A::Types: Slots<L>,
    <A::Types as Slots<L>>::First: TakenFrom<<A::Types as Slots<L>>::GuestFirst>,
    <A::Types as Slots<L>>::Second: TakenFrom<<A::Types as Slots<L>>::GuestSecond>,
{
    Guest(PhantomData)
}

/// Compares the result behind a marker of a host function with the guest's, a tuple.
pub fn guest_expects<G, M>(_returns: &M)
where
    M: Returns,
    <M::Values as HostValues>::Types: GivenTo<G>,
{
}

/// Compares the parameter behind a marker of an exported function.
pub fn guest_takes<L, P>(
    _guest: Guest<L>,
    _argument: &P,
) -> Guest<<PassedTypes<P> as Slots<L>>::Rest>
where
    P: Passed,
    PassedTypes<P>: Slots<L>,
    <PassedTypes<P> as Slots<L>>::First: PassedAs<<PassedTypes<P> as Slots<L>>::GuestFirst>,
{
    Guest(PhantomData)
}

/// The Wasm types of the parameter behind a marker.
pub type PassedTypes<P> = (<<<P as Passed>::Wasm as WasmTy>::Wasm as WasmBasic>::Type,);

/// Compares the result behind a marker of an exported function with the guest's, a tuple.
pub fn guest_returns<G, O>(_outcome: &O)
where
    O: Outcomes,
    <O::Wasm as WasmResults>::Types: ReturnedAs<G>,
{
}

/// Compares a field that is no function with what the guest exports.
pub fn guest_exports<G, T: FoundAs<G>>() {}

/// Reports parameters of the guest's function that no Rust parameter stands for.
pub fn guest_ends<L: NothingLeft>(_guest: Guest<L>) {}

/// The Wasm types of one Rust parameter, before the guest's parameters `L`.
#[diagnostic::on_unimplemented(
    message = "the guest's function has fewer parameters than this one",
    label = "the guest has no parameter for this",
    note = "the file that `check` names is what the guest was compiled to: remove the parameter, or add \
            it to the guest"
)]
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

impl<L> Slots<L> for () {
    type First = ();
    type GuestFirst = ();
    type Second = ();
    type GuestSecond = ();
    type Rest = L;
}

#[diagnostic::do_not_recommend]
impl<T, G, R> Slots<(G, R)> for (T,)
where
    (T,): TypeNames,
{
    type First = T;
    type GuestFirst = G;
    type Second = ();
    type GuestSecond = ();
    type Rest = R;
}

#[diagnostic::do_not_recommend]
impl<T, U, G, H, R> Slots<(G, (H, R))> for (T, U)
where
    (T, U): TypeNames,
{
    type First = T;
    type GuestFirst = G;
    type Second = U;
    type GuestSecond = H;
    type Rest = R;
}

/// No parameters.
#[diagnostic::on_unimplemented(
    message = "the guest's function has more parameters than this one",
    label = "parameters are missing: after the ones here the guest has `{Self}`",
    note = "the file that `check` names is what the guest was compiled to: add the parameters, or remove \
            them from the guest"
)]
pub trait NothingLeft {}

impl NothingLeft for () {}

/// A Wasm type of a parameter of a host function, where the guest passes a `G`.
#[diagnostic::on_unimplemented(
    message = "the guest passes `{G}`, but this parameter takes `{Self}`",
    label = "`{Self}` in Wasm, `{G}` in the guest",
    note = "`i32`, `u32`, smaller integers, `bool` and `char` take `i32`; `i64` and `u64` take `i64`; \
            `&T`, `&mut T` and `Rooted<ExternRef<T>>` take `externref`; `Func` takes `funcref`"
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

/// The Wasm types of the results of a host function, where the guest expects the tuple `G`.
#[diagnostic::on_unimplemented(
    message = "the guest expects another number of results",
    label = "`{Self}` in Wasm, `{G}` in the guest",
    note = "a function without result returns `()`, one with several a tuple"
)]
pub trait GivenTo<G> {}

/// The Wasm types of the results of an exported function, where the guest returns the tuple `G`.
#[diagnostic::on_unimplemented(
    message = "the guest returns another number of results",
    label = "`{Self}` in Wasm, `{G}` in the guest",
    note = "a function without result is declared without `->`, one with several with a tuple"
)]
pub trait ReturnedAs<G> {}

/// A field that is no function, where the guest exports a `G`.
#[diagnostic::on_unimplemented(
    message = "the guest's export of this name is `{G}`, not `{Self}`",
    label = "`{G}` in the guest",
    note = "`memory`, `table`, `global` and `func` are a `Memory`, a `Table`, a `Global` and a `Func`; of \
            `nothing`, where the guest exports nothing of the name, an `Option`"
)]
pub trait FoundAs<G> {}

macro_rules! tuples {
    ($($($name:ident $index:tt)*;)*) => {$(
        tuples!(@ [$($name)*] [GA GB GC GD GE GF GG GH GI GJ GK GL GM GN GO GP] [] []);
    )*};
    (@ [$first:ident $($rest:ident)*] [$guest:ident $($more:ident)*] [$($t:ident)*] [$($g:ident)*]) => {
        tuples!(@ [$($rest)*] [$($more)*] [$($t)* $first] [$($g)* $guest]);
    };
    (@ [] [$($more:ident)*] [$($t:ident)*] [$($g:ident)*]) => {
        impl<$($t: GivenAs<$g>, $g),*> GivenTo<($($g,)*)> for ($($t,)*) {}
        impl<$($t: ComesAs<$g>, $g),*> ReturnedAs<($($g,)*)> for ($($t,)*) {}
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

macro_rules! uncompared {
    ($($relation:ident)*) => {$(
        #[diagnostic::do_not_recommend]
        impl<T> $relation<wasm::unchecked> for T {}
    )*};
}

uncompared! { TakenFrom GivenAs PassedAs ComesAs }

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
        impl $relation<wasm::$guest> for wasm::$rust {}
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

macro_rules! items {
    ($($handle:ident as $kind:ident;)*) => {$(
        #[diagnostic::do_not_recommend]
        impl FoundAs<wasm::$kind> for $handle {}

        #[diagnostic::do_not_recommend]
        impl<T: FoundAs<wasm::$kind>> FoundAs<wasm::$kind> for Option<T> {}
    )*};
}

items! {
    Memory as memory;
    Table as table;
    Global as global;
    Func as func;
}

#[diagnostic::do_not_recommend]
impl<T> FoundAs<wasm::nothing> for Option<T> {}

impl<L> fmt::Debug for Guest<L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Guest")
    }
}
