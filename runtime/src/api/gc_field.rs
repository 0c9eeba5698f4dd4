//! Which Rust types stand for the fields of structs and the elements of arrays, and how they are read and
//! written there without a `Val` in between.

use anyhow::{bail, ensure};

use super::convert::{Abi as _, Reference};
use super::gc_object::GcTypeKey;
use super::gc_types;
use super::refs::parts::Part;
use super::types::ValType;
use super::v128::V128;
use crate::abi::signature::is_func_heap;
use crate::error::{Error, Result};
use crate::instance::definition::RawRef;
use crate::instance::store::StoreInner;
use crate::vm::value::ValRaw;
use crate::wasm::types::{FieldType, HeapType, RefType, StorageType, ValType as WasmType};

/// A Rust type that stands for what a field of a struct or an element of an array holds.
///
/// Implemented for `i8` and `u8` (fields of 8 bits), `i16` and `u16` (of 16 bits), `i32 u32 i64 u64 f32
/// f64` and [`V128`], and references as in [`WasmTy`](crate::WasmTy), with `Option`s for those that may
/// be null.
///
/// The trait is sealed.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not stand for a field of a struct or an element of an array",
    label = "cannot be stored in a guest's object",
    note = "integers of 8 to 64 bits, floats, `V128`, `Rooted<..>`, `I31`, `Func` and `Option`s of \
            references do"
)]
pub trait GcField: Sized + 'static + sealed::Field {}

/// A Rust number that stands for a number in a field or an element: of arrays of such numbers many can be
/// copied at once.
///
/// Implemented for `i8 u8 i16 u16 i32 u32 i64 u64 f32 f64`. The trait is sealed.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no number that an array can hold",
    label = "not a number",
    note = "integers of 8 to 64 bits and floats are"
)]
pub trait GcNumber: GcField + Copy + sealed::Number {}

impl<F: sealed::Field + 'static> GcField for F {}
impl<N: sealed::Number + Copy + 'static> GcNumber for N {}

/// What a Rust type holds: of a reference to something of a type that a Rust type defines, what stands for
/// that type.
#[doc(hidden)]
#[derive(Debug)]
pub struct Holds {
    pub(super) storage: StorageType,
    pub(super) key: Option<&'static GcTypeKey>,
}

impl Holds {
    fn reference<R: Reference>(nullable: bool) -> Holds {
        let ty = RefType { nullable, heap: R::HEAP.to_wasm() };
        Holds { storage: StorageType::Val(WasmType::Ref(ty)), key: R::key() }
    }
}

pub(super) mod sealed {
    //! How values are read and written. Not nameable by embedders.

    use super::{Holds, Part, Result, StoreInner};

    pub trait Field: Sized {
        /// What it holds.
        fn holds() -> Holds;

        /// The value of a part.
        ///
        /// # Errors
        ///
        /// If the part holds something else, or null where this type has none.
        fn load_part(inner: &mut StoreInner, part: Part) -> Result<Self>;

        /// Replaces the value of a part, which may change.
        ///
        /// # Errors
        ///
        /// If the part holds something else.
        fn store_part(self, inner: &mut StoreInner, part: Part) -> Result<()>;
    }

    pub trait Number: Field {
        /// Reads as many numbers as there are bytes for.
        fn read_all(to: &mut [Self], from: &[u8]);

        /// Writes the numbers as bytes.
        fn write_all(from: &[Self], to: &mut [u8]);
    }
}

use sealed::{Field, Number};

/// The error of using a part that holds something else than `expected`.
#[cold]
fn mismatch(inner: &StoreInner, expected: StorageType, found: FieldType) -> Error {
    let name = |ty| gc_types::StorageType::from_wasm(&inner.engine_handle, ty);
    let (expected, found) = (name(expected), name(found.storage));
    Error::msg(format!("type mismatch: expected {expected}, found {found}"))
}

#[inline]
fn check_plain(inner: &StoreInner, expected: StorageType, found: FieldType) -> Result<()> {
    match found.storage == expected {
        true => Ok(()),
        false => Err(mismatch(inner, expected, found)),
    }
}

/// Fails unless elements of type `found` are `N`s.
pub(super) fn check_elements<N: GcNumber>(inner: &StoreInner, found: FieldType) -> Result<()> {
    check_plain(inner, N::holds().storage, found)
}

macro_rules! plain {
    ($($rust:ty, $storage:expr, |$bits:ident| $from:expr, |$value:ident| $into:expr;)*) => {$(
        impl Field for $rust {
            fn holds() -> Holds {
                Holds { storage: $storage, key: None }
            }

            #[inline]
            fn load_part(inner: &mut StoreInner, part: Part) -> Result<$rust> {
                check_plain(inner, $storage, part.ty)?;
                let $bits = part.bits(inner);
                Ok($from)
            }

            #[inline]
            fn store_part(self, inner: &mut StoreInner, part: Part) -> Result<()> {
                check_plain(inner, $storage, part.ty)?;
                let $value = self;
                part.set_bits(inner, $into);
                Ok(())
            }
        }
    )*};
}

macro_rules! numbers {
    ($($rust:ty, $storage:expr, |$bits:ident| $from:expr, |$value:ident| $into:expr;)*) => {
        plain! { $($rust, $storage, |$bits| $from, |$value| $into;)* }

        $(impl Number for $rust {
            fn read_all(to: &mut [$rust], from: &[u8]) {
                let (chunks, _) = from.as_chunks::<{ size_of::<$rust>() }>();
                for (to, from) in to.iter_mut().zip(chunks) {
                    *to = <$rust>::from_le_bytes(*from);
                }
            }

            fn write_all(from: &[$rust], to: &mut [u8]) {
                let (chunks, _) = to.as_chunks_mut::<{ size_of::<$rust>() }>();
                for (to, from) in chunks.iter_mut().zip(from) {
                    *to = from.to_le_bytes();
                }
            }
        })*
    };
}

numbers! {
    i8, StorageType::I8, |bits| bits as i8, |value| value as u8 as u128;
    u8, StorageType::I8, |bits| bits as u8, |value| value as u128;
    i16, StorageType::I16, |bits| bits as i16, |value| value as u16 as u128;
    u16, StorageType::I16, |bits| bits as u16, |value| value as u128;
    i32, StorageType::Val(WasmType::I32), |bits| bits as i32, |value| value as u32 as u128;
    u32, StorageType::Val(WasmType::I32), |bits| bits as u32, |value| value as u128;
    i64, StorageType::Val(WasmType::I64), |bits| bits as i64, |value| value as u64 as u128;
    u64, StorageType::Val(WasmType::I64), |bits| bits as u64, |value| value as u128;
    f32, StorageType::Val(WasmType::F32), |bits| f32::from_bits(bits as u32),
        |value| value.to_bits() as u128;
    f64, StorageType::Val(WasmType::F64), |bits| f64::from_bits(bits as u64),
        |value| value.to_bits() as u128;
}

plain! {
    V128, StorageType::Val(WasmType::V128), |bits| bits.into(), |value| value.as_u128();
}

impl<R: Reference> Field for R {
    fn holds() -> Holds {
        Holds::reference::<R>(false)
    }

    #[inline]
    fn load_part(inner: &mut StoreInner, part: Part) -> Result<R> {
        match <Option<R> as Field>::load_part(inner, part)? {
            Some(reference) => Ok(reference),
            None => bail!("expected a non-null reference to `{}`, found null", R::expected()),
        }
    }

    #[inline]
    fn store_part(self, inner: &mut StoreInner, part: Part) -> Result<()> {
        let abi = self.raw(inner)?;
        store_reference::<R>(inner, part, abi, false)
    }
}

impl<R: Reference> Field for Option<R> {
    fn holds() -> Holds {
        Holds::reference::<R>(true)
    }

    #[inline]
    fn load_part(inner: &mut StoreInner, part: Part) -> Result<Option<R>> {
        let wanted = heap::<R>(inner);
        let fits = match part.ty.storage {
            StorageType::Val(WasmType::Ref(found)) => {
                found.heap == wanted || inner.engine.types().heap_matches(found.heap, wanted)
            }
            _ => false,
        };
        if !fits {
            let wanted = WasmType::Ref(RefType { nullable: true, heap: wanted });
            return Err(mismatch(inner, StorageType::Val(wanted), part.ty));
        }
        let bits = part.bits(inner);
        Ok(R::root(inner, R::Abi::from_raw(ValRaw::v128(bits)))?)
    }

    #[inline]
    fn store_part(self, inner: &mut StoreInner, part: Part) -> Result<()> {
        let abi = self.map_or(Ok(R::NULL), |reference| reference.raw(inner))?;
        store_reference::<R>(inner, part, abi, true)
    }
}

/// The heap type of references of type `R` in the store's engine.
#[inline]
fn heap<R: Reference>(inner: &StoreInner) -> HeapType {
    R::key().map_or(R::HEAP.to_wasm(), |key| key.heap_type(&inner.engine_handle))
}

/// Replaces a reference. When the part takes fewer than the type `R` has, the reference itself decides.
#[inline]
fn store_reference<R: Reference>(
    inner: &mut StoreInner,
    part: Part,
    abi: R::Abi,
    nullable: bool,
) -> Result<()> {
    let own = RefType { nullable, heap: heap::<R>(inner) };
    let StorageType::Val(WasmType::Ref(wanted)) = part.ty.storage else {
        return Err(mismatch(inner, StorageType::Val(WasmType::Ref(own)), part.ty));
    };
    let bits = abi.into_raw().get_v128();
    if own != wanted && !inner.engine.types().ref_matches(own, wanted) {
        check_reference(inner, bits, own, wanted)?;
    }
    part.set_bits(inner, bits);
    Ok(())
}

/// Fails unless the reference with these bits, one of type `own`, is of type `wanted`.
fn check_reference(inner: &StoreInner, bits: u128, own: RefType, wanted: RefType) -> Result<()> {
    let (func, wanted_func) = {
        let types = inner.engine.types();
        (is_func_heap(&types, own.heap), is_func_heap(&types, wanted.heap))
    };
    let raw = match func {
        true => RawRef::func_from_bits(bits),
        false => RawRef::Gc(bits as u32),
    };
    let found = inner.type_of_ref(raw, own.heap);
    let name = |ty| ValType::from_wasm(&inner.engine_handle, WasmType::Ref(ty));
    ensure!(
        func == wanted_func && inner.engine.types().ref_matches(found, wanted),
        "type mismatch: expected {}, found {}",
        name(wanted),
        name(found)
    );
    Ok(())
}
