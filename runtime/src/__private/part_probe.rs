//! Types of fields and elements that a guest's object cannot hold. Explains only, as `probe.rs` does for
//! parameters: what can be held is the affair of `gc.rs`.
//!
//! | on | finds |
//! |---|---|
//! | [`PartProbe`] | what can be held |
//! | [`PartTraits`] | types with certain traits, by themselves or inside another |
//! | [`PartShape`] | shapes of types |
//! | [`NullablePart`] | any other `Option` |
//! | [`AnyPart`] | any other type |
//! | [`PackedProbe`] | what can be packed, and then whatever else says `packed` |

use std::fmt;
use std::marker::PhantomData;

use super::gc::{ByHandle, GcPacked, GcPart, GcStored};
use super::param::kind;
use super::probe::{explain, explain_by_trait, levels};
use super::reasons::{
    ArrayInObject, NotPacked, NotStored, NumberNeverNull, OtherInteger, Reason, RootInObject,
    SeveralParts, StoredByHandle, StoredOption, StoredRoot,
};
use crate::api::convert::{WasmNumber, WasmTy};
use crate::api::func::arity::several_values;
use crate::api::refs::{GcRef, Rooted};
use crate::error::Result;

levels! {
    /// Looks at a field or an element of type `P`.
    PartProbe -> PartTraits;
    /// Looks at its traits.
    PartTraits -> PartShape;
    /// Looks at its shape.
    PartShape -> NullablePart;
    /// Looks whether it is an `Option`.
    NullablePart -> AnyPart;
    =>
    /// Takes any type for one that cannot be held.
    AnyPart;
}

levels! {
    /// Looks at one that says `packed`.
    PackedProbe -> AnyPacked;
    =>
    /// Takes any type for one that cannot be packed.
    AnyPacked;
}

/// What a field or an element would be that cannot be held: a program with one does not compile.
pub struct NoPart<P>(PhantomData<fn() -> P>);

impl<P> NoPart<P> {
    const NEW: NoPart<P> = NoPart(PhantomData);
}

impl<P> Default for NoPart<P> {
    fn default() -> Self {
        NoPart::NEW
    }
}

impl<P: 'static> GcPart for NoPart<P> {
    type Value = P;
    type Stored = i32;

    fn into_stored(_: P) -> i32 {
        unreachable!("a part of this type is reported at compile time")
    }

    fn from_stored(_: i32) -> Result<P> {
        unreachable!("a part of this type is reported at compile time")
    }
}

/// Finds what can be held.
pub trait LookStored<Kind> {
    /// How it is.
    type Part: Default;

    /// How it is.
    fn look(&self) -> Self::Part {
        Self::Part::default()
    }
}

impl<P: GcStored<Kind>, Kind> LookStored<Kind> for PartProbe<P> {
    type Part = P::Part;
}

/// Finds what can be packed.
pub trait LookPacked {
    /// How it is.
    type Part: Default;

    /// How it is.
    fn look(&self) -> Self::Part {
        Self::Part::default()
    }
}

impl<P: GcPacked> LookPacked for PackedProbe<P> {
    type Part = P::Part;
}

explain_by_trait! {
    /// Explains what has handles.
    PartTraits -> NoPart[]: LookStoredByHandle, StoredByHandle
    [T: ByHandle] kind::Value: T => T::Handle;
    [T: ByHandle] kind::OptionValue: Option<T> => Option<T::Handle>;
    [T: ByHandle] kind::Root: Rooted<T> => T::Handle;
    [T: ByHandle] kind::OptionRoot: Option<Rooted<T>> => Option<T::Handle>;
    [T: ByHandle] kind::Boxed: Box<T> => T::Handle;
    [T: ByHandle] kind::OptionBoxed: Option<Box<T>> => Option<T::Handle>;
}

explain_by_trait! {
    /// Explains what must be rooted.
    PartTraits -> NoPart[]: LookStoredRoot, StoredRoot
    [T: GcRef] kind::Value: T => Rooted<T>;
    [T: GcRef] kind::OptionValue: Option<T> => Option<Rooted<T>>;
}

explain_by_trait! {
    /// Explains numbers that are never null.
    PartTraits -> NoPart[]: LookStoredNumber, NumberNeverNull
    [T: WasmTy<Wasm: WasmNumber>] kind::OptionValue: Option<T> => T;
}

explain! { PartShape -> NoPart[]:
    [T] Rooted<T> => RootInObject(T);
    [T] Option<Rooted<T>> => RootInObject(T);
    [T] Vec<T> => ArrayInObject(T);
    [T, const N: usize] [T; N] => ArrayInObject(T);
    [] usize => OtherInteger(usize);
    [] isize => OtherInteger(isize);
    [] u128 => OtherInteger(u128);
    [] i128 => OtherInteger(i128);
}

macro_rules! explain_tuples {
    ($($($name:ident $index:tt)*;)*) => {$(
        explain! { PartShape -> NoPart[]:
            [$($name),*] ($($name,)*) => SeveralParts(($($name,)*));
        }
    )*};
}

several_values!(explain_tuples);

explain! { NullablePart -> NoPart[]:
    [T] Option<T> => StoredOption(T);
}

explain! { AnyPart -> NoPart[]:
    [P] P => NotStored(P);
}

explain! { AnyPacked -> NoPart[]:
    [P] P => NotPacked(P);
}

impl<P> fmt::Debug for NoPart<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("NoPart")
    }
}
