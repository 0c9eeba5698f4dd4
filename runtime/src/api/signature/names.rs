//! Wasm types as Rust types, so that traits can compare them at compile time. They are called as
//! rustc's messages should call them, for which they are public in `hostref::guest_types`.

use std::marker::PhantomData;

use super::{DeclaredType, SignatureType};
use crate::api::gc_object::GcType;
use crate::api::v128::V128;

/// A Rust type that names a Wasm type. Numbers and vectors name themselves.
pub trait TypeName: 'static {
    /// The type as a value.
    const TYPE: SignatureType;
    /// Whether it is an address or a length in the guest's memory.
    const IN_MEMORY: bool = false;
}

/// A list of Wasm types: a tuple of [`TypeName`]s.
pub trait TypeNames {
    /// The types as values.
    const TYPES: &'static [SignatureType];
    /// Whether one of them is an address or a length in the guest's memory.
    const IN_MEMORY: bool;
}

/// What references of a hierarchy refer to.
pub trait Heap: 'static {
    /// References that may be null.
    type Nullable: TypeName;
    /// References that may not.
    type NonNull: TypeName;
}

macro_rules! numbers {
    ($($rust:ty = $name:ident;)*) => {$(
        impl TypeName for $rust {
            const TYPE: SignatureType = SignatureType::$name;
        }
    )*};
}

numbers! {
    i32 = I32;
    i64 = I64;
    f32 = F32;
    f64 = F64;
    V128 = V128;
}

macro_rules! heaps {
    ($($heap:ident $text:literal $nullable:ident $non_null:ident;)*) => {
        /// What references refer to, each called as in `HeapType`.
        pub mod heap {$(
            #[doc = concat!("`", $text, "`")]
            #[derive(Debug)]
            pub struct $heap;

            impl super::Heap for $heap {
                type Nullable = super::$nullable;
                type NonNull = super::$non_null;
            }
        )*}

        $(
            #[doc = concat!("`(ref null ", $text, ")`")]
            #[allow(non_camel_case_types, reason = "the name in the text format")]
            #[derive(Debug)]
            pub enum $nullable {}

            impl TypeName for $nullable {
                const TYPE: SignatureType = SignatureType::Ref { nullable: true, heap: $text };
            }

            #[doc = concat!("`(ref ", $text, ")`")]
            #[allow(non_camel_case_types, reason = "as near as Rust comes to the text format")]
            #[derive(Debug)]
            pub enum $non_null {}

            impl TypeName for $non_null {
                const TYPE: SignatureType = SignatureType::Ref { nullable: false, heap: $text };
            }
        )*
    };
}

heaps! {
    Extern "extern" externref ref_extern;
    NoExtern "noextern" nullexternref ref_noextern;
    Func "func" funcref ref_func;
    NoFunc "nofunc" nullfuncref ref_nofunc;
    Exn "exn" exnref ref_exn;
    NoExn "noexn" nullexnref ref_noexn;
    Any "any" anyref ref_any;
    Eq "eq" eqref ref_eq;
    I31 "i31" i31ref ref_i31;
    Struct "struct" structref ref_struct;
    Array "array" arrayref ref_array;
    None "none" nullref ref_none;
}

/// `(ref null $type)`, of the type that `T` defines.
#[allow(non_camel_case_types, reason = "as near as Rust comes to the text format")]
pub struct defined<T>(PhantomData<fn() -> T>);

/// `(ref $type)`, of the type that `T` defines.
#[allow(non_camel_case_types, reason = "as near as Rust comes to the text format")]
pub struct ref_defined<T>(PhantomData<fn() -> T>);

/// The type that `T` defines.
pub struct Defined<T>(PhantomData<fn() -> T>);

impl<T: GcType> Heap for Defined<T> {
    type Nullable = defined<T>;
    type NonNull = ref_defined<T>;
}

impl<T: GcType> TypeName for defined<T> {
    const TYPE: SignatureType =
        SignatureType::Declared { nullable: true, ty: DeclaredType::of::<T>() };
}

impl<T: GcType> TypeName for ref_defined<T> {
    const TYPE: SignatureType =
        SignatureType::Declared { nullable: false, ty: DeclaredType::of::<T>() };
}

macro_rules! others {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[allow(non_camel_case_types, reason = "the name in the text format")]
        #[derive(Debug)]
        pub enum $name {}
    )*};
}

others! {
    /// An address or a length in a memory: `i32`, or `i64` where the guest's memory has 64-bit addresses.
    address;
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
    /// Nothing of that name, or no parameter in that place.
    nothing;
}

// Memories with 64-bit addresses are rare, and guests that have one say so themselves.
impl TypeName for address {
    const TYPE: SignatureType = SignatureType::I32;
    const IN_MEMORY: bool = true;
}

macro_rules! lists {
    ($($($name:ident $index:tt)*;)*) => {$(
        impl<$($name: TypeName),*> TypeNames for ($($name,)*) {
            const TYPES: &'static [SignatureType] = &[$($name::TYPE),*];
            const IN_MEMORY: bool = false $(|| $name::IN_MEMORY)*;
        }
    )*};
}

crate::api::func::arity::any_values!(lists);
