//! `Val` and `Ref`: values whose type is known at run time.

use super::func::Func;
use super::refs::{AnyRef, EqKind, ExnRef, ExternRef, Rooted};
use super::store::AsContext;
use super::types::{HeapType, RefType, ValType};
use super::v128::V128;
use crate::error::Result;
use crate::instance::definition::{FuncPtr, RawRef};
use crate::instance::store::StoreInner;
use crate::vm::value::ValRaw;
use crate::wasm::types as wasm;

/// A value of any type.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Val {
    /// A 32-bit integer.
    I32(i32),
    /// A 64-bit integer.
    I64(i64),
    /// The bits of a 32-bit float.
    F32(u32),
    /// The bits of a 64-bit float.
    F64(u64),
    /// A vector.
    V128(V128),
    /// A function, or null.
    FuncRef(Option<Func>),
    /// A host object, or null.
    ExternRef(Option<Rooted<ExternRef>>),
    /// An exception, or null.
    ExnRef(Option<Rooted<ExnRef>>),
    /// A struct, an array, an `i31` or a converted host object, or null.
    AnyRef(Option<Rooted<AnyRef>>),
}

/// A reference of any type: what tables hold.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Ref {
    /// A function, or null.
    Func(Option<Func>),
    /// A host object, or null.
    Extern(Option<Rooted<ExternRef>>),
    /// An exception, or null.
    Exn(Option<Rooted<ExnRef>>),
    /// A struct, an array, an `i31` or a converted host object, or null.
    Any(Option<Rooted<AnyRef>>),
}

impl Val {
    /// The null reference of `heap_type`'s hierarchy.
    pub fn null_ref(heap_type: &HeapType) -> Val {
        Ref::null(heap_type).into()
    }

    /// The null reference to a function.
    pub const fn null_func_ref() -> Val {
        Val::FuncRef(None)
    }

    /// The null reference to a host object.
    pub const fn null_extern_ref() -> Val {
        Val::ExternRef(None)
    }

    /// The null reference to a struct, an array or an `i31`.
    pub const fn null_any_ref() -> Val {
        Val::AnyRef(None)
    }

    /// The null reference to an exception.
    pub const fn null_exn_ref() -> Val {
        Val::ExnRef(None)
    }

    /// The type of the value. Of a null reference it is the hierarchy's bottom type.
    pub fn ty(&self, store: impl AsContext) -> Result<ValType> {
        let ty = self.wasm_type(store.as_context().inner())?;
        Ok(ValType::from_wasm(store.as_context().engine(), ty))
    }

    /// Whether the value may be used where `ty` is expected.
    ///
    /// ```
    /// use hostref::{ExternRef, HeapType, RefType, Result, Store, Val, ValType};
    ///
    /// # fn main() -> Result<()> {
    /// let mut store = Store::<()>::default();
    /// let object = Val::from(ExternRef::new(&mut store, "an object")?);
    /// assert!(object.matches_ty(&store, &ValType::EXTERNREF)?);
    /// assert!(!object.matches_ty(&store, &ValType::ANYREF)?);
    /// let not_null = ValType::from(RefType::new(false, HeapType::Extern));
    /// assert!(!Val::null_extern_ref().matches_ty(&store, &not_null)?);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// If it is a reference that is not rooted any more or belongs to another store.
    pub fn matches_ty(&self, store: impl AsContext, ty: &ValType) -> Result<bool> {
        Ok(self.ty(store)?.matches(ty))
    }

    /// The reference, if this is one.
    pub fn ref_(self) -> Option<Ref> {
        match self {
            Val::FuncRef(func) => Some(Ref::Func(func)),
            Val::ExternRef(reference) => Some(Ref::Extern(reference)),
            Val::ExnRef(reference) => Some(Ref::Exn(reference)),
            Val::AnyRef(reference) => Some(Ref::Any(reference)),
            _ => None,
        }
    }

    pub(crate) fn wasm_type(&self, store: &StoreInner) -> Result<wasm::ValType> {
        Ok(match self {
            Val::I32(_) => wasm::ValType::I32,
            Val::I64(_) => wasm::ValType::I64,
            Val::F32(_) => wasm::ValType::F32,
            Val::F64(_) => wasm::ValType::F64,
            Val::V128(_) => wasm::ValType::V128,
            Val::FuncRef(func) => wasm::ValType::Ref(Ref::Func(*func).wasm_type(store)?),
            Val::ExternRef(object) => wasm::ValType::Ref(Ref::Extern(*object).wasm_type(store)?),
            Val::ExnRef(object) => wasm::ValType::Ref(Ref::Exn(*object).wasm_type(store)?),
            Val::AnyRef(object) => wasm::ValType::Ref(Ref::Any(*object).wasm_type(store)?),
        })
    }

    /// The value's slot, once it is known to match `ty`.
    #[inline]
    pub(crate) fn lower_as(&self, store: &StoreInner, ty: wasm::ValType) -> Result<ValRaw> {
        match (*self, ty) {
            (Val::I32(value), wasm::ValType::I32) => Ok(ValRaw::i32(value)),
            (Val::I64(value), wasm::ValType::I64) => Ok(ValRaw::i64(value)),
            (Val::F32(bits), wasm::ValType::F32) => Ok(ValRaw::f32(bits)),
            (Val::F64(bits), wasm::ValType::F64) => Ok(ValRaw::f64(bits)),
            (Val::ExternRef(Some(object)), wasm::ValType::Ref(ty))
                if ty.heap == wasm::HeapType::Extern =>
            {
                Ok(ValRaw::externref(object.gc_ref(store)?.to_raw()))
            }
            _ => self.lower_matching(store, ty),
        }
    }

    /// As [`lower_as`](Val::lower_as), for what takes a look at types.
    fn lower_matching(&self, store: &StoreInner, ty: wasm::ValType) -> Result<ValRaw> {
        let found = self.wasm_type(store)?;
        if found != ty && !store.engine.types().val_matches(found, ty) {
            let engine = store.engine_handle.clone();
            let name = |ty| ValType::from_wasm(&engine, ty);
            anyhow::bail!("type mismatch: expected {}, found {}", name(ty), name(found));
        }
        self.lower(store)
    }

    /// The value's slot. References become raw: nothing may collect before they are rooted again.
    pub(crate) fn lower(&self, store: &StoreInner) -> Result<ValRaw> {
        Ok(match *self {
            Val::I32(value) => ValRaw::i32(value),
            Val::I64(value) => ValRaw::i64(value),
            Val::F32(bits) => ValRaw::f32(bits),
            Val::F64(bits) => ValRaw::f64(bits),
            Val::V128(value) => ValRaw::v128(value.as_u128()),
            Val::FuncRef(func) => ValRaw::v128(Ref::Func(func).lower(store)?.to_bits()),
            Val::ExternRef(object) => ValRaw::v128(Ref::Extern(object).lower(store)?.to_bits()),
            Val::ExnRef(object) => ValRaw::v128(Ref::Exn(object).lower(store)?.to_bits()),
            Val::AnyRef(object) => ValRaw::v128(Ref::Any(object).lower(store)?.to_bits()),
        })
    }

    /// The value in a slot that holds a value of type `ty`.
    #[inline]
    pub(crate) fn load(store: &mut StoreInner, raw: ValRaw, ty: wasm::ValType) -> Val {
        match ty {
            wasm::ValType::I32 => Val::I32(raw.get_i32()),
            wasm::ValType::I64 => Val::I64(raw.get_i64()),
            wasm::ValType::F32 => Val::F32(raw.get_f32()),
            wasm::ValType::F64 => Val::F64(raw.get_f64()),
            wasm::ValType::V128 => Val::V128(raw.get_v128().into()),
            wasm::ValType::Ref(ty) => {
                let raw = RawRef::from_bits(raw.get_v128(), store.engine.is_func_heap(ty.heap));
                Ref::load(store, raw, ty.heap).into()
            }
        }
    }
}

impl Ref {
    /// The null reference of `heap_type`'s hierarchy.
    pub fn null(heap_type: &HeapType) -> Ref {
        match heap_type {
            HeapType::Extern | HeapType::NoExtern => Ref::Extern(None),
            HeapType::Func | HeapType::NoFunc | HeapType::ConcreteFunc(_) => Ref::Func(None),
            HeapType::Exn | HeapType::NoExn => Ref::Exn(None),
            HeapType::Any
            | HeapType::Eq
            | HeapType::I31
            | HeapType::Struct
            | HeapType::ConcreteStruct(_)
            | HeapType::Array
            | HeapType::ConcreteArray(_)
            | HeapType::None => Ref::Any(None),
        }
    }

    /// Whether this is null.
    pub fn is_null(&self) -> bool {
        matches!(self, Ref::Func(None) | Ref::Extern(None) | Ref::Exn(None) | Ref::Any(None))
    }

    /// Whether this is not null.
    pub fn is_non_null(&self) -> bool {
        !self.is_null()
    }

    /// The type of the reference. Of null it is the hierarchy's bottom type.
    pub fn ty(&self, store: impl AsContext) -> Result<RefType> {
        let ty = self.wasm_type(store.as_context().inner())?;
        Ok(RefType::from_wasm(store.as_context().engine(), ty))
    }

    /// Whether the reference may be used where `ty` is expected.
    ///
    /// # Errors
    ///
    /// If it is not rooted any more or belongs to another store.
    pub fn matches_ty(&self, store: impl AsContext, ty: &RefType) -> Result<bool> {
        Ok(self.ty(store)?.matches(ty))
    }

    pub(crate) fn wasm_type(&self, store: &StoreInner) -> Result<wasm::RefType> {
        let (nullable, heap) = match self {
            Ref::Func(None) => (true, wasm::HeapType::NoFunc),
            Ref::Func(Some(func)) => {
                (false, wasm::HeapType::Concrete(func.checked(store)?.type_id()))
            }
            Ref::Extern(None) => (true, wasm::HeapType::NoExtern),
            Ref::Extern(Some(_)) => (false, wasm::HeapType::Extern),
            Ref::Exn(None) => (true, wasm::HeapType::NoExn),
            Ref::Exn(Some(_)) => (false, wasm::HeapType::Exn),
            Ref::Any(_) => return Ok(store.type_of_ref(self.lower(store)?, wasm::HeapType::Any)),
        };
        Ok(wasm::RefType { nullable, heap })
    }

    /// The raw reference, once it is known to match `ty`.
    pub(crate) fn lower_as(&self, store: &StoreInner, ty: wasm::RefType) -> Result<RawRef> {
        let found = self.wasm_type(store)?;
        if found != ty && !store.engine.types().ref_matches(found, ty) {
            let engine = store.engine_handle.clone();
            let name = |ty| RefType::from_wasm(&engine, ty);
            anyhow::bail!("type mismatch: expected {}, found {}", name(ty), name(found));
        }
        self.lower(store)
    }

    fn lower(&self, store: &StoreInner) -> Result<RawRef> {
        Ok(match self {
            Ref::Func(func) => {
                let func: Option<FuncPtr> = func.map(|func| func.checked(store)).transpose()?;
                RawRef::Func(func)
            }
            Ref::Extern(None) | Ref::Exn(None) | Ref::Any(None) => RawRef::Gc(0),
            Ref::Any(Some(object)) => RawRef::Gc(object.gc_ref(store)?.to_raw()),
            Ref::Exn(Some(exception)) => RawRef::Gc(exception.gc_ref(store)?.to_raw()),
            Ref::Extern(Some(object)) => RawRef::Gc(object.gc_ref(store)?.to_raw()),
        })
    }

    /// The reference `raw` to something of type `heap`.
    pub(crate) fn load(store: &mut StoreInner, raw: RawRef, heap: wasm::HeapType) -> Ref {
        match raw {
            RawRef::Func(func) => Ref::Func(func.map(|func| Func::from_ptr(store, func))),
            RawRef::Gc(raw) => {
                let object = crate::gc::GcRef::from_raw(raw);
                match heap {
                    wasm::HeapType::Exn | wasm::HeapType::NoExn => {
                        Ref::Exn(object.map(|object| Rooted::from_gc_ref(store, object)))
                    }
                    wasm::HeapType::Extern | wasm::HeapType::NoExtern => {
                        Ref::Extern(object.map(|object| Rooted::from_gc_ref(store, object)))
                    }
                    _ => Ref::Any(object.map(|object| Rooted::from_gc_ref(store, object))),
                }
            }
        }
    }
}

/// For each kind: what gives its content, if it is of that kind, and what insists on it.
macro_rules! contents {
    ($of:ident: $($kind:ident($content:pat => $value:expr): $ty:ty, $is:literal,
        $($get:ident / $unwrap:ident),+;)*) => {
        impl $of {$($(
            #[doc = concat!("The content, if this is ", $is, ".")]
            pub fn $get(&self) -> Option<$ty> {
                match self {
                    $of::$kind($content) => Some($value),
                    _ => None,
                }
            }

            #[doc = concat!("The content of what is ", $is, ".")]
            ///
            /// # Panics
            ///
            /// If it is something else.
            pub fn $unwrap(&self) -> $ty {
                self.$get().unwrap_or_else(|| panic!(concat!("expected ", $is, ", found {:?}"), self))
            }
        )+)*}
    };
}

contents! {
    Val:
    I32(value => *value): i32, "an i32", i32 / unwrap_i32;
    I64(value => *value): i64, "an i64", i64 / unwrap_i64;
    F32(bits => f32::from_bits(*bits)): f32, "an f32", f32 / unwrap_f32;
    F64(bits => f64::from_bits(*bits)): f64, "an f64", f64 / unwrap_f64;
    V128(value => *value): V128, "a v128", v128 / unwrap_v128;
    FuncRef(func => func.as_ref()): Option<&Func>, "a funcref",
        func_ref / unwrap_func_ref, funcref / unwrap_funcref;
    ExternRef(object => object.as_ref()): Option<&Rooted<ExternRef>>, "an externref",
        extern_ref / unwrap_extern_ref, externref / unwrap_externref;
    ExnRef(exception => exception.as_ref()): Option<&Rooted<ExnRef>>, "an exnref",
        exn_ref / unwrap_exn_ref, exnref / unwrap_exnref;
    AnyRef(object => object.as_ref()): Option<&Rooted<AnyRef>>, "an anyref",
        any_ref / unwrap_any_ref, anyref / unwrap_anyref;
}

contents! {
    Ref:
    Func(func => func.as_ref()): Option<&Func>, "a funcref", as_func / unwrap_func;
    Extern(object => object.as_ref()): Option<&Rooted<ExternRef>>, "an externref",
        as_extern / unwrap_extern;
    Exn(exception => exception.as_ref()): Option<&Rooted<ExnRef>>, "an exnref", as_exn / unwrap_exn;
    Any(object => object.as_ref()): Option<&Rooted<AnyRef>>, "an anyref", as_any / unwrap_any;
}

/// Of which hierarchy a reference is, null or not.
macro_rules! hierarchies {
    ($($is:ident $kind:ident $name:literal)*) => {
        impl Ref {$(
            #[doc = concat!("Whether this is ", $name, ", null or not.")]
            pub fn $is(&self) -> bool {
                matches!(self, Ref::$kind(_))
            }
        )*}
    };
}

hierarchies! {
    is_func Func "a funcref"
    is_extern Extern "an externref"
    is_exn Exn "an exnref"
    is_any Any "an anyref"
}

impl From<Ref> for Val {
    fn from(reference: Ref) -> Val {
        match reference {
            Ref::Func(func) => Val::FuncRef(func),
            Ref::Extern(object) => Val::ExternRef(object),
            Ref::Exn(exception) => Val::ExnRef(exception),
            Ref::Any(object) => Val::AnyRef(object),
        }
    }
}

macro_rules! from {
    ($($from:ty => |$value:ident| $val:expr;)*) => {$(
        impl From<$from> for Val {
            fn from($value: $from) -> Val {
                $val
            }
        }
    )*};
}

from! {
    i32 => |value| Val::I32(value);
    i64 => |value| Val::I64(value);
    f32 => |value| Val::F32(value.to_bits());
    f64 => |value| Val::F64(value.to_bits());
    V128 => |value| Val::V128(value);
    u128 => |bits| Val::V128(bits.into());
}

macro_rules! from_references {
    ($([$($generics:tt)*] $reference:ty, $value:ident => $to:expr;)*) => {$(
        impl<$($generics)*> From<$reference> for Ref {
            fn from(reference: $reference) -> Ref {
                Some(reference).into()
            }
        }

        impl<$($generics)*> From<Option<$reference>> for Ref {
            fn from($value: Option<$reference>) -> Ref {
                $to
            }
        }

        impl<$($generics)*> From<$reference> for Val {
            fn from(reference: $reference) -> Val {
                Ref::from(reference).into()
            }
        }

        impl<$($generics)*> From<Option<$reference>> for Val {
            fn from(reference: Option<$reference>) -> Val {
                Ref::from(reference).into()
            }
        }
    )*};
}

from_references! {
    [] Func, func => Ref::Func(func);
    [] Rooted<ExternRef>, object => Ref::Extern(object);
    [] Rooted<ExnRef>, exception => Ref::Exn(exception);
    [] Rooted<AnyRef>, object => Ref::Any(object);
    [T: EqKind] Rooted<T>, object => Ref::Any(object.map(|object| object.to_anyref()));
}
