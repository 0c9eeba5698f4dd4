//! `Val` and `Ref`: values whose type is known at run time.

use super::func::Func;
use super::refs::{AnyRef, EqKind, ExnRef, ExternRef, Rooted};
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
    pub fn ty(&self, store: impl crate::AsContext) -> Result<ValType> {
        let ty = self.wasm_type(store.as_context().inner())?;
        Ok(ValType::from_wasm(store.as_context().engine(), ty))
    }

    /// The integer, if this is an `i32`.
    pub fn i32(&self) -> Option<i32> {
        match self {
            Val::I32(value) => Some(*value),
            _ => None,
        }
    }

    /// The integer, if this is an `i64`.
    pub fn i64(&self) -> Option<i64> {
        match self {
            Val::I64(value) => Some(*value),
            _ => None,
        }
    }

    /// The number, if this is an `f32`.
    pub fn f32(&self) -> Option<f32> {
        match self {
            Val::F32(bits) => Some(f32::from_bits(*bits)),
            _ => None,
        }
    }

    /// The number, if this is an `f64`.
    pub fn f64(&self) -> Option<f64> {
        match self {
            Val::F64(bits) => Some(f64::from_bits(*bits)),
            _ => None,
        }
    }

    /// The vector, if this is a `v128`.
    pub fn v128(&self) -> Option<V128> {
        match self {
            Val::V128(value) => Some(*value),
            _ => None,
        }
    }

    /// The reference, if this is one to a host object: `Some(None)` is null.
    pub fn externref(&self) -> Option<Option<&Rooted<ExternRef>>> {
        match self {
            Val::ExternRef(object) => Some(object.as_ref()),
            _ => None,
        }
    }

    /// The reference, if this is one to an exception: `Some(None)` is null.
    pub fn exnref(&self) -> Option<Option<&Rooted<ExnRef>>> {
        match self {
            Val::ExnRef(exception) => Some(exception.as_ref()),
            _ => None,
        }
    }

    /// The reference, if this is an `anyref`: `Some(None)` is null.
    pub fn anyref(&self) -> Option<Option<&Rooted<AnyRef>>> {
        match self {
            Val::AnyRef(object) => Some(object.as_ref()),
            _ => None,
        }
    }

    /// The reference, if this is one to a function: `Some(None)` is null.
    pub fn funcref(&self) -> Option<Option<&Func>> {
        match self {
            Val::FuncRef(func) => Some(func.as_ref()),
            _ => None,
        }
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

    /// The integer.
    ///
    /// # Panics
    ///
    /// If this is not an `i32`.
    pub fn unwrap_i32(&self) -> i32 {
        self.i32().unwrap_or_else(|| panic!("expected an i32, found {self:?}"))
    }

    /// The integer.
    ///
    /// # Panics
    ///
    /// If this is not an `i64`.
    pub fn unwrap_i64(&self) -> i64 {
        self.i64().unwrap_or_else(|| panic!("expected an i64, found {self:?}"))
    }

    /// The number.
    ///
    /// # Panics
    ///
    /// If this is not an `f32`.
    pub fn unwrap_f32(&self) -> f32 {
        self.f32().unwrap_or_else(|| panic!("expected an f32, found {self:?}"))
    }

    /// The number.
    ///
    /// # Panics
    ///
    /// If this is not an `f64`.
    pub fn unwrap_f64(&self) -> f64 {
        self.f64().unwrap_or_else(|| panic!("expected an f64, found {self:?}"))
    }

    /// The vector.
    ///
    /// # Panics
    ///
    /// If this is not a `v128`.
    pub fn unwrap_v128(&self) -> V128 {
        self.v128().unwrap_or_else(|| panic!("expected a v128, found {self:?}"))
    }

    /// The reference.
    ///
    /// # Panics
    ///
    /// If this is not an `externref`.
    pub fn unwrap_externref(&self) -> Option<&Rooted<ExternRef>> {
        self.externref().unwrap_or_else(|| panic!("expected an externref, found {self:?}"))
    }

    /// The reference.
    ///
    /// # Panics
    ///
    /// If this is not an `exnref`.
    pub fn unwrap_exnref(&self) -> Option<&Rooted<ExnRef>> {
        self.exnref().unwrap_or_else(|| panic!("expected an exnref, found {self:?}"))
    }

    /// The reference.
    ///
    /// # Panics
    ///
    /// If this is not an `anyref`.
    pub fn unwrap_anyref(&self) -> Option<&Rooted<AnyRef>> {
        self.anyref().unwrap_or_else(|| panic!("expected an anyref, found {self:?}"))
    }

    /// The reference.
    ///
    /// # Panics
    ///
    /// If this is not a `funcref`.
    pub fn unwrap_funcref(&self) -> Option<&Func> {
        self.funcref().unwrap_or_else(|| panic!("expected a funcref, found {self:?}"))
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

    /// The reference, if this is one to a host object: `Some(None)` is null.
    pub fn as_extern(&self) -> Option<Option<&Rooted<ExternRef>>> {
        match self {
            Ref::Extern(object) => Some(object.as_ref()),
            _ => None,
        }
    }

    /// The reference, if this is one to a function: `Some(None)` is null.
    pub fn as_func(&self) -> Option<Option<&Func>> {
        match self {
            Ref::Func(func) => Some(func.as_ref()),
            _ => None,
        }
    }

    /// The reference, if this is one to an exception: `Some(None)` is null.
    pub fn as_exn(&self) -> Option<Option<&Rooted<ExnRef>>> {
        match self {
            Ref::Exn(exception) => Some(exception.as_ref()),
            _ => None,
        }
    }

    /// The reference, if this is an `anyref`: `Some(None)` is null.
    pub fn as_any(&self) -> Option<Option<&Rooted<AnyRef>>> {
        match self {
            Ref::Any(object) => Some(object.as_ref()),
            _ => None,
        }
    }

    /// The reference.
    ///
    /// # Panics
    ///
    /// If this is not an `exnref`.
    pub fn unwrap_exn(&self) -> Option<&Rooted<ExnRef>> {
        self.as_exn().unwrap_or_else(|| panic!("expected an exnref, found {self:?}"))
    }

    /// The reference.
    ///
    /// # Panics
    ///
    /// If this is not an `anyref`.
    pub fn unwrap_any(&self) -> Option<&Rooted<AnyRef>> {
        self.as_any().unwrap_or_else(|| panic!("expected an anyref, found {self:?}"))
    }

    /// The reference.
    ///
    /// # Panics
    ///
    /// If this is not an `externref`.
    pub fn unwrap_extern(&self) -> Option<&Rooted<ExternRef>> {
        self.as_extern().unwrap_or_else(|| panic!("expected an externref, found {self:?}"))
    }

    /// The reference.
    ///
    /// # Panics
    ///
    /// If this is not a `funcref`.
    pub fn unwrap_func(&self) -> Option<&Func> {
        self.as_func().unwrap_or_else(|| panic!("expected a funcref, found {self:?}"))
    }

    /// The type of the reference. Of null it is the hierarchy's bottom type.
    pub fn ty(&self, store: impl crate::AsContext) -> Result<RefType> {
        let ty = self.wasm_type(store.as_context().inner())?;
        Ok(RefType::from_wasm(store.as_context().engine(), ty))
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
