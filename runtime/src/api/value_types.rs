//! Public types of values: numbers and references.

use std::sync::Arc;

use super::engine::Engine;
use super::gc_types::{ArrayType, StructType};
use super::types::FuncType;
use super::value::Val;
use crate::abi::gc_layout::ObjectLayout;
use crate::instance::engine::EngineShared;
use crate::wasm::types as wasm;

/// The type of a value.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ValType {
    /// 32-bit integers, signed or not.
    I32,
    /// 64-bit integers, signed or not.
    I64,
    /// 32-bit floats.
    F32,
    /// 64-bit floats.
    F64,
    /// 128-bit vectors.
    V128,
    /// References.
    Ref(RefType),
}

/// The type of a reference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefType {
    nullable: bool,
    heap_type: HeapType,
}

/// What a reference refers to.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum HeapType {
    /// Host objects.
    Extern,
    /// Nothing: only null is of this type, a subtype of `Extern`.
    NoExtern,
    /// Functions of any type.
    Func,
    /// Nothing: only null is of this type, a subtype of every function type.
    NoFunc,
    /// Functions of one type.
    ConcreteFunc(FuncType),
    /// Exceptions.
    Exn,
    /// Nothing: only null is of this type, a subtype of `Exn`.
    NoExn,
    /// Everything that guests make, and host objects that were converted to it.
    Any,
    /// What can be compared: structs, arrays, and `i31`s.
    Eq,
    /// Integers of 31 bits.
    I31,
    /// Structs of any type.
    Struct,
    /// Structs of one type.
    ConcreteStruct(StructType),
    /// Arrays of any type.
    Array,
    /// Arrays of one type.
    ConcreteArray(ArrayType),
    /// Nothing: only null is of this type, a subtype of `I31` and of every struct and array type.
    None,
}

macro_rules! reference_types {
    ($($(#[$doc:meta])* $name:ident = $heap:ident;)*) => {
        impl RefType {$(
            $(#[$doc])*
            pub const $name: RefType = RefType { nullable: true, heap_type: HeapType::$heap };
        )*}

        impl ValType {$(
            $(#[$doc])*
            pub const $name: ValType = ValType::Ref(RefType::$name);
        )*}
    };
}

reference_types! {
    /// `externref`: host objects, or null.
    EXTERNREF = Extern;
    /// `nullexternref`: null in the place of a host object.
    NULLEXTERNREF = NoExtern;
    /// `funcref`: functions, or null.
    FUNCREF = Func;
    /// `nullfuncref`: null in the place of a function.
    NULLFUNCREF = NoFunc;
    /// `exnref`: exceptions, or null.
    EXNREF = Exn;
    /// `nullexnref`: null in the place of an exception.
    NULLEXNREF = NoExn;
    /// `anyref`: what guests make, or null.
    ANYREF = Any;
    /// `eqref`: structs, arrays and `i31`s, or null.
    EQREF = Eq;
    /// `i31ref`: integers of 31 bits, or null.
    I31REF = I31;
    /// `structref`: structs of any type, or null.
    STRUCTREF = Struct;
    /// `arrayref`: arrays of any type, or null.
    ARRAYREF = Array;
    /// `nullref`: null in the place of a struct, an array or an `i31`.
    NULLREF = None;
}

impl From<RefType> for ValType {
    fn from(ty: RefType) -> ValType {
        ValType::Ref(ty)
    }
}

impl From<FuncType> for HeapType {
    fn from(ty: FuncType) -> HeapType {
        HeapType::ConcreteFunc(ty)
    }
}

impl From<StructType> for HeapType {
    fn from(ty: StructType) -> HeapType {
        HeapType::ConcreteStruct(ty)
    }
}

impl From<ArrayType> for HeapType {
    fn from(ty: ArrayType) -> HeapType {
        HeapType::ConcreteArray(ty)
    }
}

impl ValType {
    /// Whether this is `i32`.
    pub fn is_i32(&self) -> bool {
        *self == ValType::I32
    }

    /// Whether this is `i64`.
    pub fn is_i64(&self) -> bool {
        *self == ValType::I64
    }

    /// Whether this is `f32`.
    pub fn is_f32(&self) -> bool {
        *self == ValType::F32
    }

    /// Whether this is `f64`.
    pub fn is_f64(&self) -> bool {
        *self == ValType::F64
    }

    /// Whether this is `v128`.
    pub fn is_v128(&self) -> bool {
        *self == ValType::V128
    }

    /// Whether this is a number: an integer or a float.
    pub fn is_num(&self) -> bool {
        matches!(self, ValType::I32 | ValType::I64 | ValType::F32 | ValType::F64)
    }

    /// Whether this is `funcref`.
    pub fn is_funcref(&self) -> bool {
        *self == ValType::FUNCREF
    }

    /// Whether this is `externref`.
    pub fn is_externref(&self) -> bool {
        *self == ValType::EXTERNREF
    }

    /// Whether this is `anyref`.
    pub fn is_anyref(&self) -> bool {
        *self == ValType::ANYREF
    }

    /// Whether this is a reference type.
    pub fn is_ref(&self) -> bool {
        matches!(self, ValType::Ref(_))
    }

    /// The reference type, if this is one.
    pub fn as_ref(&self) -> Option<&RefType> {
        match self {
            ValType::Ref(ty) => Some(ty),
            _ => None,
        }
    }

    /// The reference type.
    ///
    /// # Panics
    ///
    /// If this is none.
    pub fn unwrap_ref(&self) -> &RefType {
        self.as_ref().unwrap_or_else(|| panic!("expected a reference type, found {self}"))
    }

    /// Whether values of this type may be used where `other` is expected.
    pub fn matches(&self, other: &ValType) -> bool {
        match (self, other) {
            (ValType::Ref(this), ValType::Ref(other)) => this.matches(other),
            (this, other) => this == other,
        }
    }

    /// What a local or a field of this type begins with: zero or null. `None` if the type has no null.
    ///
    /// ```
    /// use hostref::{HeapType, RefType, ValType};
    ///
    /// assert_eq!(ValType::I64.default_value().unwrap().unwrap_i64(), 0);
    /// assert!(ValType::STRUCTREF.default_value().unwrap().unwrap_anyref().is_none());
    /// assert!(ValType::Ref(RefType::new(false, HeapType::I31)).default_value().is_none());
    /// ```
    pub fn default_value(&self) -> Option<Val> {
        match self {
            ValType::I32 => Some(Val::I32(0)),
            ValType::I64 => Some(Val::I64(0)),
            ValType::F32 => Some(Val::F32(0)),
            ValType::F64 => Some(Val::F64(0)),
            ValType::V128 => Some(Val::V128(0.into())),
            ValType::Ref(ty) => ty.is_nullable().then(|| Val::null_ref(ty.heap_type())),
        }
    }

    /// Whether every type it names is one of `engine`.
    pub(crate) fn belongs_to(&self, engine: &Arc<EngineShared>) -> bool {
        self.as_ref().is_none_or(|ty| ty.belongs_to(engine))
    }

    pub(crate) fn from_wasm(engine: &Engine, ty: wasm::ValType) -> ValType {
        match ty {
            wasm::ValType::I32 => ValType::I32,
            wasm::ValType::I64 => ValType::I64,
            wasm::ValType::F32 => ValType::F32,
            wasm::ValType::F64 => ValType::F64,
            wasm::ValType::V128 => ValType::V128,
            wasm::ValType::Ref(ty) => ValType::Ref(RefType::from_wasm(engine, ty)),
        }
    }

    pub(crate) fn to_wasm(&self) -> wasm::ValType {
        match self {
            ValType::I32 => wasm::ValType::I32,
            ValType::I64 => wasm::ValType::I64,
            ValType::F32 => wasm::ValType::F32,
            ValType::F64 => wasm::ValType::F64,
            ValType::V128 => wasm::ValType::V128,
            ValType::Ref(ty) => wasm::ValType::Ref(ty.to_wasm()),
        }
    }
}

impl RefType {
    /// A reference to `heap_type`, or null if `nullable`.
    pub fn new(nullable: bool, heap_type: HeapType) -> RefType {
        RefType { nullable, heap_type }
    }

    /// Whether null is of this type.
    pub fn is_nullable(&self) -> bool {
        self.nullable
    }

    /// What it refers to.
    pub fn heap_type(&self) -> &HeapType {
        &self.heap_type
    }

    /// The same type without null.
    pub fn as_non_null(&self) -> RefType {
        RefType { nullable: false, heap_type: self.heap_type.clone() }
    }

    /// Whether references of this type may be used where `other` is expected.
    pub fn matches(&self, other: &RefType) -> bool {
        (other.nullable || !self.nullable) && self.heap_type.matches(&other.heap_type)
    }

    /// Whether every type it names is one of `engine`.
    pub(crate) fn belongs_to(&self, engine: &Arc<EngineShared>) -> bool {
        self.heap_type.belongs_to(engine)
    }

    pub(crate) fn from_wasm(engine: &Engine, ty: wasm::RefType) -> RefType {
        RefType { nullable: ty.nullable, heap_type: HeapType::from_wasm(engine, ty.heap) }
    }

    pub(crate) fn to_wasm(&self) -> wasm::RefType {
        wasm::RefType { nullable: self.nullable, heap: self.heap_type.to_wasm() }
    }
}

impl HeapType {
    /// The common supertype of the hierarchy: `any`, `func`, `extern` or `exn`.
    ///
    /// ```
    /// use hostref::HeapType;
    ///
    /// assert_eq!(HeapType::I31.top(), HeapType::Any);
    /// assert_eq!(HeapType::Struct.bottom(), HeapType::None);
    /// assert!(HeapType::None.matches(&HeapType::Struct));
    /// assert!(!HeapType::Struct.matches(&HeapType::Array));
    /// ```
    pub fn top(&self) -> HeapType {
        match self {
            HeapType::Func | HeapType::NoFunc | HeapType::ConcreteFunc(_) => HeapType::Func,
            HeapType::Extern | HeapType::NoExtern => HeapType::Extern,
            HeapType::Exn | HeapType::NoExn => HeapType::Exn,
            HeapType::Any
            | HeapType::Eq
            | HeapType::I31
            | HeapType::Struct
            | HeapType::ConcreteStruct(_)
            | HeapType::Array
            | HeapType::ConcreteArray(_)
            | HeapType::None => HeapType::Any,
        }
    }

    /// Whether it is the common supertype of its hierarchy.
    pub fn is_top(&self) -> bool {
        *self == self.top()
    }

    /// The common subtype of the hierarchy, which has no values but null.
    pub fn bottom(&self) -> HeapType {
        match self.top() {
            HeapType::Func => HeapType::NoFunc,
            HeapType::Extern => HeapType::NoExtern,
            HeapType::Exn => HeapType::NoExn,
            _ => HeapType::None,
        }
    }

    /// Whether it is the common subtype of its hierarchy.
    pub fn is_bottom(&self) -> bool {
        *self == self.bottom()
    }

    /// Whether it is a type that somebody defined rather than one of WebAssembly's own.
    pub fn is_concrete(&self) -> bool {
        self.engine().is_some()
    }

    /// Whether it is one of WebAssembly's own types.
    pub fn is_abstract(&self) -> bool {
        !self.is_concrete()
    }

    /// The function type, if this is one.
    pub fn as_concrete_func(&self) -> Option<&FuncType> {
        match self {
            HeapType::ConcreteFunc(ty) => Some(ty),
            _ => None,
        }
    }

    /// The struct type, if this is one.
    pub fn as_concrete_struct(&self) -> Option<&StructType> {
        match self {
            HeapType::ConcreteStruct(ty) => Some(ty),
            _ => None,
        }
    }

    /// The array type, if this is one.
    pub fn as_concrete_array(&self) -> Option<&ArrayType> {
        match self {
            HeapType::ConcreteArray(ty) => Some(ty),
            _ => None,
        }
    }

    /// The function type.
    ///
    /// # Panics
    ///
    /// If this is none.
    pub fn unwrap_concrete_func(&self) -> &FuncType {
        self.as_concrete_func().unwrap_or_else(|| panic!("expected a function type, found {self}"))
    }

    /// The struct type.
    ///
    /// # Panics
    ///
    /// If this is none.
    pub fn unwrap_concrete_struct(&self) -> &StructType {
        self.as_concrete_struct().unwrap_or_else(|| panic!("expected a struct type, found {self}"))
    }

    /// The array type.
    ///
    /// # Panics
    ///
    /// If this is none.
    pub fn unwrap_concrete_array(&self) -> &ArrayType {
        self.as_concrete_array().unwrap_or_else(|| panic!("expected an array type, found {self}"))
    }

    /// Whether references to this type may be used where those to `other` are expected.
    ///
    /// A type of another engine matches no concrete type of this one, and every abstract type as it
    /// would at home.
    pub fn matches(&self, other: &HeapType) -> bool {
        match (self.engine(), other.engine()) {
            (Some(own), Some(others)) if !Engine::same(own, others) => false,
            (Some(engine), _) | (None, Some(engine)) => {
                engine.shared().types().heap_matches(self.to_wasm(), other.to_wasm())
            }
            (None, None) => {
                wasm::TypeRegistry::default().heap_matches(self.to_wasm(), other.to_wasm())
            }
        }
    }

    /// Whether the type that it names is one of `engine`.
    pub(crate) fn belongs_to(&self, engine: &Arc<EngineShared>) -> bool {
        self.engine().is_none_or(|own| Arc::ptr_eq(own.shared(), engine))
    }

    /// The engine of the type that it names.
    fn engine(&self) -> Option<&Engine> {
        match self {
            HeapType::ConcreteFunc(ty) => Some(ty.engine()),
            HeapType::ConcreteStruct(ty) => Some(ty.engine()),
            HeapType::ConcreteArray(ty) => Some(ty.engine()),
            _ => None,
        }
    }

    pub(crate) fn from_wasm(engine: &Engine, ty: wasm::HeapType) -> HeapType {
        match ty {
            wasm::HeapType::Extern => HeapType::Extern,
            wasm::HeapType::NoExtern => HeapType::NoExtern,
            wasm::HeapType::Func => HeapType::Func,
            wasm::HeapType::NoFunc => HeapType::NoFunc,
            wasm::HeapType::Exn => HeapType::Exn,
            wasm::HeapType::NoExn => HeapType::NoExn,
            wasm::HeapType::Any => HeapType::Any,
            wasm::HeapType::Eq => HeapType::Eq,
            wasm::HeapType::I31 => HeapType::I31,
            wasm::HeapType::Struct => HeapType::Struct,
            wasm::HeapType::Array => HeapType::Array,
            wasm::HeapType::None => HeapType::None,
            wasm::HeapType::Concrete(id) => HeapType::concrete(engine, id),
        }
    }

    fn concrete(engine: &Engine, id: wasm::TypeId) -> HeapType {
        let types = engine.shared().types();
        let layout = types.layout(id).clone();
        // Naming a function type takes the lock again.
        drop(types);
        match *layout {
            ObjectLayout::Func => HeapType::ConcreteFunc(FuncType::from_id(engine, id)),
            ObjectLayout::Struct(_) => HeapType::ConcreteStruct(StructType::from_id(engine, id)),
            ObjectLayout::Array(_) => HeapType::ConcreteArray(ArrayType::from_id(engine, id)),
        }
    }

    pub(crate) fn to_wasm(&self) -> wasm::HeapType {
        match self {
            HeapType::Extern => wasm::HeapType::Extern,
            HeapType::NoExtern => wasm::HeapType::NoExtern,
            HeapType::Func => wasm::HeapType::Func,
            HeapType::NoFunc => wasm::HeapType::NoFunc,
            HeapType::Exn => wasm::HeapType::Exn,
            HeapType::NoExn => wasm::HeapType::NoExn,
            HeapType::Any => wasm::HeapType::Any,
            HeapType::Eq => wasm::HeapType::Eq,
            HeapType::I31 => wasm::HeapType::I31,
            HeapType::Struct => wasm::HeapType::Struct,
            HeapType::Array => wasm::HeapType::Array,
            HeapType::None => wasm::HeapType::None,
            HeapType::ConcreteFunc(ty) => wasm::HeapType::Concrete(ty.id()),
            HeapType::ConcreteStruct(ty) => wasm::HeapType::Concrete(ty.id()),
            HeapType::ConcreteArray(ty) => wasm::HeapType::Concrete(ty.id()),
        }
    }
}
