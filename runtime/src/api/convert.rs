//! Which Rust types stand for Wasm values. [`WasmTy`] is the public, safe trait that anyone may
//! implement; everything that meets raw references is behind the sealed [`WasmBasic`].

use std::fmt;

use super::engine::Engine;
use super::func::Func;
use super::func::typed::{TypedFunc, WasmParams, WasmResults};
use super::gc_object::GcTypeKey;
use super::refs::target::{ExternTarget, TargetCheck};
use super::refs::{
    AnyArray, AnyRef, AnyStruct, ArrayKind, ArrayRef, EqRef, ExnRef, ExternRef, I31,
    ManuallyRooted, NoExn, NoExtern, NoFunc, NoneRef, Rooted, StructKind, StructRef,
};
use super::signature::names::{Heap, TypeName, heap};
use super::types::{HeapType, RefType, ValType};
use super::v128::V128;
use crate::error::{Error, Result};
use crate::gc::GcRef;
use crate::instance::definition::{FuncPtr, RawRef};
use crate::instance::store::StoreInner;
use crate::vm::entry::Vector;
use crate::vm::value::ValRaw;

/// A Rust type that stands for one Wasm value in typed calls and host functions.
///
/// Implemented for `i32 u32 i64 u64 f32 f64` and [`V128`], the narrower integers, `bool` and `char`
/// (as checked `i32`s), and references: [`Rooted`] and [`ManuallyRooted`] of [`ExternRef`],
/// `ExternRef<T>`, [`ExnRef`], [`AnyRef`], [`EqRef`], [`StructRef`] and [`ArrayRef`]; [`I31`], [`Func`]
/// and [`TypedFunc`]; and `Option`s of them for nullable references. `Option`s of [`NoneRef`],
/// [`NoExtern`], [`NoFunc`] and [`NoExn`] are references that are always null.
///
/// Your own types join by delegating to one of these, by hand or with `#[derive(WasmTy)]`:
///
/// ```
/// use hostref::{Engine, Func, Result, Store, WasmTy};
///
/// #[derive(Clone, Copy, Debug, PartialEq)]
/// struct Fd(u32);
///
/// impl WasmTy for Fd {
///     type Wasm = u32;
///
///     fn into_wasm(self) -> u32 {
///         self.0
///     }
///
///     fn try_from_wasm(wasm: u32) -> Result<Fd> {
///         Ok(Fd(wasm))
///     }
/// }
///
/// # fn main() -> Result<()> {
/// let mut store = Store::new(&Engine::default(), ());
/// let next = Func::wrap(&mut store, |fd: Fd| Fd(fd.0 + 1));
/// let next = next.typed::<Fd, Fd>(&store)?;
/// assert_eq!(next.call(&mut store, Fd(3))?, Fd(4));
/// # Ok(())
/// # }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not stand for a Wasm value",
    label = "not a Wasm value",
    note = "integers of up to 64 bits, floats, `bool`, `char`, `Rooted<ExternRef<T>>`, `Func` and \
            `Option`s of references do",
    note = "for a type of your own use `#[derive(WasmTy)]`, or pass it as an object"
)]
pub trait WasmTy: Sized + Send + 'static {
    /// The basic type it travels as; itself for basic types.
    type Wasm: WasmBasic;

    /// The value as the basic type.
    fn into_wasm(self) -> Self::Wasm;

    /// The value that the basic type stands for.
    ///
    /// # Errors
    ///
    /// If it stands for none, such as an unknown discriminant.
    fn try_from_wasm(wasm: Self::Wasm) -> Result<Self>;

    /// The Wasm type of the value. For references to what a Rust type defines it is the abstract type,
    /// `structref` or `arrayref`.
    fn valtype() -> ValType {
        Self::Wasm::abstract_type()
    }
}

/// A value of a machine-level type, or `()` for none: what a C function takes in one register.
#[doc(hidden)]
pub trait Abi: Copy + Default + Send + Sync + sealed::Sealed + 'static {
    /// Its type, unless it is `()`.
    const LOWERED: Option<Lowered>;

    fn from_raw(raw: ValRaw) -> Self;

    fn into_raw(self) -> ValRaw;
}

/// The machine-level types that Rust functions can take.
#[doc(hidden)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lowered {
    I32,
    I64,
    F32,
    F64,
    V128,
}

/// A Rust type that stands for a Wasm value by itself. Sealed: implementors meet raw references.
#[doc(hidden)]
pub trait WasmBasic: WasmTy<Wasm = Self> + sealed::Sealed {
    /// How it travels.
    type Abi: Abi;

    /// Its type, for traits to compare.
    type Type: TypeName;

    /// Whether loading one needs a root scope, and lowering one takes it from a root.
    const ROOTS: bool;

    /// Its type, as far as that is known without an engine.
    fn abstract_type() -> ValType;

    /// Its type in `engine`.
    fn wasm_type(_engine: &Engine) -> ValType {
        Self::abstract_type()
    }

    /// Whether a value may be used with this store.
    fn compatible_with_store(&self, store: &StoreInner) -> bool;

    /// The value that came out of Wasm; references are rooted.
    fn load(store: &mut StoreInner, abi: Self::Abi) -> Result<Self, LoadError>;

    /// The value as it goes into Wasm. The shared borrow of the store excludes a collection, which
    /// would make the raw reference stale.
    fn lower(self, store: &StoreInner) -> Result<Self::Abi>;
}

/// A [`WasmBasic`] that is no reference.
#[doc(hidden)]
pub trait WasmNumber: WasmBasic {
    /// The value in a slot.
    fn into_slot(self) -> ValRaw;
}

mod sealed {
    pub trait Sealed {}
}

/// Why a value that came out of Wasm is not of the Rust type that was asked for.
#[derive(Debug)]
#[doc(hidden)]
pub enum LoadError {
    /// Null, where the Rust type has no null.
    Null { expected: &'static str },
    /// A reference to something else, or a value that `WasmTy::try_from_wasm` refused.
    Other(Error),
}

impl fmt::Display for LoadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            LoadError::Null { expected } => {
                write!(f, "expected a non-null reference to `{expected}`, found null")
            }
            LoadError::Other(error) => fmt::Display::fmt(error, f),
        }
    }
}

impl std::error::Error for LoadError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            LoadError::Null { .. } => None,
            LoadError::Other(error) => error.source(),
        }
    }
}

/// Loads a value of any [`WasmTy`].
#[inline]
pub(crate) fn load<V: WasmTy>(
    store: &mut StoreInner,
    abi: <V::Wasm as WasmBasic>::Abi,
) -> Result<V, LoadError> {
    V::try_from_wasm(V::Wasm::load(store, abi)?).map_err(LoadError::Other)
}

macro_rules! numbers {
    ($($rust:ty, $abi:ty, $name:ty, $wasm:ident, |$value:ident| $into:expr, $from:expr;)*) => {$(
        impl sealed::Sealed for $rust {}

        // The notes on the trait say more than a list of implementors would.
        #[diagnostic::do_not_recommend]
        impl WasmTy for $rust {
            type Wasm = $rust;

            #[inline]
            fn into_wasm(self) -> $rust {
                self
            }

            #[inline]
            fn try_from_wasm(wasm: $rust) -> Result<$rust> {
                Ok(wasm)
            }
        }

        impl WasmNumber for $rust {
            fn into_slot(self) -> ValRaw {
                let $value = self;
                Abi::into_raw($into)
            }
        }

        impl WasmBasic for $rust {
            type Abi = $abi;
            type Type = $name;
            const ROOTS: bool = false;

            fn abstract_type() -> ValType {
                ValType::$wasm
            }

            fn compatible_with_store(&self, _: &StoreInner) -> bool {
                true
            }

            #[inline]
            fn load(_: &mut StoreInner, $value: $abi) -> Result<$rust, LoadError> {
                Ok($from)
            }

            #[inline]
            fn lower(self, _: &StoreInner) -> Result<$abi> {
                let $value = self;
                Ok($into)
            }
        }
    )*};
}

numbers! {
    i32, i32, i32, I32, |value| value, value;
    u32, i32, i32, I32, |value| value as i32, value as u32;
    i64, i64, i64, I64, |value| value, value;
    u64, i64, i64, I64, |value| value as i64, value as u64;
    f32, f32, f32, F32, |value| value, value;
    f64, f64, f64, F64, |value| value, value;
    V128, Vector, V128, V128, |value| Vector::new(value.as_u128()), value.bits().into();
}

macro_rules! abis {
    ($($rust:ty, $lowered:ident, |$raw:ident| $from:expr, |$value:ident| $into:expr;)*) => {$(
        impl Abi for $rust {
            const LOWERED: Option<Lowered> = Some(Lowered::$lowered);

            #[inline]
            fn from_raw($raw: ValRaw) -> $rust {
                $from
            }

            #[inline]
            fn into_raw(self) -> ValRaw {
                let $value = self;
                $into
            }
        }
    )*};
}

abis! {
    i32, I32, |raw| raw.get_i32(), |value| ValRaw::i32(value);
    i64, I64, |raw| raw.get_i64(), |value| ValRaw::i64(value);
    f32, F32, |raw| f32::from_bits(raw.get_f32()), |value| ValRaw::f32(value.to_bits());
    f64, F64, |raw| f64::from_bits(raw.get_f64()), |value| ValRaw::f64(value.to_bits());
    Vector, V128, |raw| Vector::new(raw.get_v128()), |value| ValRaw::v128(value.bits());
}

impl sealed::Sealed for Vector {}
impl sealed::Sealed for () {}

impl Abi for () {
    const LOWERED: Option<Lowered> = None;

    #[inline]
    fn from_raw(_: ValRaw) {}

    #[inline]
    fn into_raw(self) -> ValRaw {
        ValRaw::i32(0)
    }
}

/// A reference type of Rust: the non-null form of a nullable one.
#[doc(hidden)]
pub trait Reference: Sized + Send + 'static {
    type Abi: Abi;
    /// `HEAP`, for traits to compare.
    type Heap: Heap;
    const HEAP: HeapType;
    const ROOTS: bool;
    const NULL: Self::Abi;

    /// What stands for the type of what it refers to, if that is one that a Rust type defines.
    fn key() -> Option<&'static GcTypeKey> {
        None
    }

    /// The type of what it refers to in `engine`.
    fn heap_type(engine: &Engine) -> HeapType {
        Self::key().map_or(Self::HEAP, |key| HeapType::from_wasm(engine, key.heap_type(engine)))
    }

    fn expected() -> &'static str;

    fn of_store(&self, store: &StoreInner) -> bool;

    /// The reference, or `None` for null.
    fn root(store: &mut StoreInner, abi: Self::Abi) -> Result<Option<Self>, LoadError>;

    fn raw(self, store: &StoreInner) -> Result<Self::Abi>;
}

macro_rules! references {
    ($([$($generics:tt)*] $rust:ty;)*) => {$(
        impl<$($generics)*> sealed::Sealed for $rust {}
        impl<$($generics)*> sealed::Sealed for Option<$rust> {}

        #[diagnostic::do_not_recommend]
        impl<$($generics)*> WasmTy for $rust {
            type Wasm = $rust;

            #[inline]
            fn into_wasm(self) -> $rust {
                self
            }

            #[inline]
            fn try_from_wasm(wasm: $rust) -> Result<$rust> {
                Ok(wasm)
            }
        }

        #[diagnostic::do_not_recommend]
        impl<$($generics)*> WasmTy for Option<$rust> {
            type Wasm = Option<$rust>;

            #[inline]
            fn into_wasm(self) -> Option<$rust> {
                self
            }

            #[inline]
            fn try_from_wasm(wasm: Option<$rust>) -> Result<Option<$rust>> {
                Ok(wasm)
            }
        }

        impl<$($generics)*> WasmBasic for $rust {
            type Abi = <$rust as Reference>::Abi;
            type Type = <<$rust as Reference>::Heap as Heap>::NonNull;
            const ROOTS: bool = <$rust as Reference>::ROOTS;

            fn abstract_type() -> ValType {
                ValType::Ref(RefType::new(false, <$rust as Reference>::HEAP))
            }

            fn wasm_type(engine: &Engine) -> ValType {
                ValType::Ref(RefType::new(false, <$rust as Reference>::heap_type(engine)))
            }

            fn compatible_with_store(&self, store: &StoreInner) -> bool {
                self.of_store(store)
            }

            #[inline]
            fn load(store: &mut StoreInner, abi: Self::Abi) -> Result<$rust, LoadError> {
                let expected = <$rust as Reference>::expected();
                <$rust as Reference>::root(store, abi)?.ok_or(LoadError::Null { expected })
            }

            #[inline]
            fn lower(self, store: &StoreInner) -> Result<Self::Abi> {
                self.raw(store)
            }
        }

        impl<$($generics)*> WasmBasic for Option<$rust> {
            type Abi = <$rust as Reference>::Abi;
            type Type = <<$rust as Reference>::Heap as Heap>::Nullable;
            const ROOTS: bool = <$rust as Reference>::ROOTS;

            fn abstract_type() -> ValType {
                ValType::Ref(RefType::new(true, <$rust as Reference>::HEAP))
            }

            fn wasm_type(engine: &Engine) -> ValType {
                ValType::Ref(RefType::new(true, <$rust as Reference>::heap_type(engine)))
            }

            fn compatible_with_store(&self, store: &StoreInner) -> bool {
                self.as_ref().is_none_or(|reference| reference.of_store(store))
            }

            #[inline]
            fn load(store: &mut StoreInner, abi: Self::Abi) -> Result<Option<$rust>, LoadError> {
                <$rust as Reference>::root(store, abi)
            }

            #[inline]
            fn lower(self, store: &StoreInner) -> Result<Self::Abi> {
                self.map_or(Ok(<$rust as Reference>::NULL), |reference| reference.raw(store))
            }
        }
    )*};
}

references! {
    [T: ?Sized + ExternTarget] Rooted<ExternRef<T>>;
    [T: ?Sized + ExternTarget] ManuallyRooted<ExternRef<T>>;
    [] Rooted<ExnRef>;
    [] ManuallyRooted<ExnRef>;
    [] Rooted<AnyRef>;
    [] ManuallyRooted<AnyRef>;
    [] Rooted<EqRef>;
    [] ManuallyRooted<EqRef>;
    [T: ?Sized + StructKind] Rooted<StructRef<T>>;
    [T: ?Sized + StructKind] ManuallyRooted<StructRef<T>>;
    [T: ?Sized + ArrayKind] Rooted<ArrayRef<T>>;
    [T: ?Sized + ArrayKind] ManuallyRooted<ArrayRef<T>>;
    [] I31;
    [] NoneRef;
    [] NoExtern;
    [] NoFunc;
    [] NoExn;
    [] Func;
    [Params: WasmParams, Results: WasmResults] TypedFunc<Params, Results>;
}

macro_rules! handles {
    (@heap $heap:ident) => { heap::$heap };
    (@heap $heap:ident $by:ident) => { $by::Heap };
    ($([$($generics:tt)*] $handle:ident<$object:ty>, $heap:ident, roots: $roots:literal,
        $expected:expr, $find:expr $(, by: $by:ident)?;)*) => {$(
        impl<$($generics)*> Reference for $handle<$object> {
            type Abi = i32;
            type Heap = handles!(@heap $heap $($by)?);
            const HEAP: HeapType = HeapType::$heap;
            const ROOTS: bool = $roots;
            const NULL: i32 = 0;

            $(fn key() -> Option<&'static GcTypeKey> {
                $by::key()
            })?

            fn expected() -> &'static str {
                $expected
            }

            fn of_store(&self, store: &StoreInner) -> bool {
                self.comes_from_same_store(store)
            }

            #[inline]
            fn root(store: &mut StoreInner, abi: i32) -> Result<Option<Self>, LoadError> {
                let Some(object) = $find(&*store, abi)? else { return Ok(None) };
                Ok(Some($handle::from_gc_ref(store, object)))
            }

            #[inline]
            fn raw(self, store: &StoreInner) -> Result<i32> {
                Ok(self.gc_ref(store)?.to_raw() as i32)
            }
        }
    )*};
}

handles! {
    [T: ?Sized + ExternTarget] Rooted<ExternRef<T>>, Extern, roots: true, T::By::name(),
        checked::<T>;
    [T: ?Sized + ExternTarget] ManuallyRooted<ExternRef<T>>, Extern, roots: false, T::By::name(),
        checked::<T>;
    [] Rooted<ExnRef>, Exn, roots: true, "exn", unchecked;
    [] ManuallyRooted<ExnRef>, Exn, roots: false, "exn", unchecked;
    [] Rooted<AnyRef>, Any, roots: true, "any", unchecked;
    [] ManuallyRooted<AnyRef>, Any, roots: false, "any", unchecked;
    [] Rooted<EqRef>, Eq, roots: true, "eq", unchecked;
    [] ManuallyRooted<EqRef>, Eq, roots: false, "eq", unchecked;
    [T: ?Sized + StructKind] Rooted<StructRef<T>>, Struct, roots: true, named::<T>("struct"),
        unchecked, by: T;
    [T: ?Sized + StructKind] ManuallyRooted<StructRef<T>>, Struct, roots: false,
        named::<T>("struct"), unchecked, by: T;
    [T: ?Sized + ArrayKind] Rooted<ArrayRef<T>>, Array, roots: true, named::<T>("array"), unchecked,
        by: T;
    [T: ?Sized + ArrayKind] ManuallyRooted<ArrayRef<T>>, Array, roots: false, named::<T>("array"),
        unchecked, by: T;
}

/// What messages call a `T`, which is called `any` when it is of any type.
fn named<T: ?Sized + 'static>(any: &'static str) -> &'static str {
    use std::any::{TypeId, type_name};
    let is_any = [TypeId::of::<AnyStruct>(), TypeId::of::<AnyArray>()].contains(&TypeId::of::<T>());
    if is_any { any } else { type_name::<T>() }
}

/// The reference `abi`; `None` for null.
#[inline]
fn unchecked(_: &StoreInner, abi: i32) -> Result<Option<GcRef>, LoadError> {
    Ok(GcRef::from_raw(abi as u32))
}

/// The reference `abi` if it leads to a `T`; `None` for null.
#[inline]
fn checked<T: ?Sized + ExternTarget>(
    store: &StoreInner,
    abi: i32,
) -> Result<Option<GcRef>, LoadError> {
    let Some(object) = GcRef::from_raw(abi as u32) else { return Ok(None) };
    T::By::check(store, object.to_raw()).map_err(LoadError::Other)?;
    Ok(Some(object))
}

impl Reference for I31 {
    type Abi = i32;
    type Heap = heap::I31;
    const HEAP: HeapType = HeapType::I31;
    const ROOTS: bool = false;
    const NULL: i32 = 0;

    fn expected() -> &'static str {
        "i31"
    }

    fn of_store(&self, _: &StoreInner) -> bool {
        true
    }

    #[inline]
    fn root(_: &mut StoreInner, abi: i32) -> Result<Option<Self>, LoadError> {
        let value = |reference| I31::of_gc_ref(reference).expect("validated: an i31 has its tag");
        Ok(GcRef::from_raw(abi as u32).map(value))
    }

    #[inline]
    fn raw(self, _: &StoreInner) -> Result<i32> {
        Ok(self.to_gc_ref().to_raw() as i32)
    }
}

macro_rules! bottoms {
    ($($bottom:ident, $heap:ident, $abi:ty, $expected:literal;)*) => {$(
        impl Reference for $bottom {
            type Abi = $abi;
            type Heap = heap::$heap;
            const HEAP: HeapType = HeapType::$heap;
            const ROOTS: bool = false;
            const NULL: $abi = 0;

            fn expected() -> &'static str {
                $expected
            }

            fn of_store(&self, _: &StoreInner) -> bool {
                match *self {}
            }

            fn root(_: &mut StoreInner, abi: $abi) -> Result<Option<Self>, LoadError> {
                assert!(abi == 0, "validated: the only reference to `{}` is null", $expected);
                Ok(None)
            }

            fn raw(self, _: &StoreInner) -> Result<$abi> {
                match self {}
            }
        }
    )*};
}

bottoms! {
    NoneRef, None, i32, "none";
    NoExtern, NoExtern, i32, "noextern";
    NoFunc, NoFunc, i64, "nofunc";
    NoExn, NoExn, i32, "noexn";
}

impl Reference for Func {
    type Abi = i64;
    type Heap = heap::Func;
    const HEAP: HeapType = HeapType::Func;
    const ROOTS: bool = false;
    const NULL: i64 = 0;

    fn expected() -> &'static str {
        "func"
    }

    fn of_store(&self, store: &StoreInner) -> bool {
        self.checked(store).is_ok()
    }

    fn root(store: &mut StoreInner, abi: i64) -> Result<Option<Self>, LoadError> {
        let RawRef::Func(func) = RawRef::func_from_bits(abi as u64 as u128) else {
            unreachable!("the bits of a function reference make a function reference")
        };
        Ok(func.map(|func| Func::from_ptr(store, func)))
    }

    fn raw(self, store: &StoreInner) -> Result<i64> {
        Ok(FuncPtr::to_address(Some(self.checked(store)?)) as i64)
    }
}

impl<Params: WasmParams, Results: WasmResults> Reference for TypedFunc<Params, Results> {
    type Abi = i64;
    type Heap = heap::Func;
    const HEAP: HeapType = HeapType::Func;
    const ROOTS: bool = false;
    const NULL: i64 = 0;

    fn expected() -> &'static str {
        "func"
    }

    fn of_store(&self, store: &StoreInner) -> bool {
        self.func().of_store(store)
    }

    fn root(store: &mut StoreInner, abi: i64) -> Result<Option<Self>, LoadError> {
        let func = <Func as Reference>::root(store, abi)?;
        let typed = func.map(|func| TypedFunc::new(func, store)).transpose();
        typed.map_err(LoadError::Other)
    }

    fn raw(self, store: &StoreInner) -> Result<i64> {
        self.func().raw(store)
    }
}
