//! Public types of values, functions, and of imports and exports as such. Conversions to and from the
//! decoded types stand beside each; those of globals, tables and memories in `entity_types`.

use std::sync::Arc;

use anyhow::ensure;

use super::engine::Engine;
use super::gc_types::{ArrayType, StructType};
use crate::abi::gc_layout::ObjectLayout;
use crate::error::Result;
use crate::instance::engine::{EngineShared, FuncTypeInfo};
use crate::wasm::types as wasm;

pub use super::entity_types::{GlobalType, MemoryType, MemoryTypeBuilder, Mutability, TableType};

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

/// The type of a function, registered with an engine.
#[derive(Clone)]
pub struct FuncType {
    engine: Engine,
    info: Arc<FuncTypeInfo>,
}

/// Whether a type may have subtypes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Finality {
    /// It may not.
    Final,
    /// It may: other types can be declared to be subtypes of it.
    NonFinal,
}

/// The type of a tag: the parameters of its function type are the payload of its exceptions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TagType {
    ty: FuncType,
}

/// The type of anything that can be imported or exported.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ExternType {
    /// A function.
    Func(FuncType),
    /// A global.
    Global(GlobalType),
    /// A table.
    Table(TableType),
    /// A linear memory.
    Memory(MemoryType),
    /// A tag of exceptions.
    Tag(TagType),
}

/// One import of a module.
#[derive(Clone, Debug)]
pub struct ImportType<'module> {
    pub(crate) module: &'module str,
    pub(crate) name: &'module str,
    pub(crate) ty: ExternType,
}

/// One export of a module.
#[derive(Clone, Debug)]
pub struct ExportType<'module> {
    pub(crate) name: &'module str,
    pub(crate) ty: ExternType,
}

impl ValType {
    /// `externref`: nullable references to host objects.
    pub const EXTERNREF: ValType = ValType::Ref(RefType::EXTERNREF);
    /// `funcref`: nullable references to functions.
    pub const FUNCREF: ValType = ValType::Ref(RefType::FUNCREF);
    /// `exnref`: nullable references to exceptions.
    pub const EXNREF: ValType = ValType::Ref(RefType::EXNREF);
    /// `anyref`: nullable references to what guests make.
    pub const ANYREF: ValType = ValType::Ref(RefType::ANYREF);

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
    /// `externref`
    pub const EXTERNREF: RefType = RefType { nullable: true, heap_type: HeapType::Extern };
    /// `funcref`
    pub const FUNCREF: RefType = RefType { nullable: true, heap_type: HeapType::Func };
    /// `exnref`
    pub const EXNREF: RefType = RefType { nullable: true, heap_type: HeapType::Exn };
    /// `anyref`
    pub const ANYREF: RefType = RefType { nullable: true, heap_type: HeapType::Any };

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

    /// Whether every type it names is one of `engine`.
    pub(crate) fn belongs_to(&self, engine: &Arc<EngineShared>) -> bool {
        match &self.heap_type {
            HeapType::ConcreteFunc(ty) => Arc::ptr_eq(ty.engine.shared(), engine),
            HeapType::ConcreteStruct(ty) => Arc::ptr_eq(ty.engine().shared(), engine),
            HeapType::ConcreteArray(ty) => Arc::ptr_eq(ty.engine().shared(), engine),
            _ => true,
        }
    }

    pub(crate) fn from_wasm(engine: &Engine, ty: wasm::RefType) -> RefType {
        RefType { nullable: ty.nullable, heap_type: HeapType::from_wasm(engine, ty.heap) }
    }

    pub(crate) fn to_wasm(&self) -> wasm::RefType {
        wasm::RefType { nullable: self.nullable, heap: self.heap_type.to_wasm() }
    }
}

impl HeapType {
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
            HeapType::ConcreteFunc(ty) => wasm::HeapType::Concrete(ty.info.id),
            HeapType::ConcreteStruct(ty) => wasm::HeapType::Concrete(ty.id()),
            HeapType::ConcreteArray(ty) => wasm::HeapType::Concrete(ty.id()),
        }
    }
}

impl FuncType {
    /// The type of functions from `params` to `results`.
    ///
    /// ```
    /// use hostref::{Engine, FuncType, ValType};
    ///
    /// let engine = Engine::default();
    /// let ty = FuncType::new(&engine, [ValType::I32, ValType::EXTERNREF], [ValType::I64]);
    /// assert_eq!(ty.to_string(), "(func (param i32 externref) (result i64))");
    /// ```
    ///
    /// # Panics
    ///
    /// If a function type among them belongs to another engine, or the engine has no room for
    /// another type: there are at most 2^22.
    pub fn new(
        engine: &Engine,
        params: impl IntoIterator<Item = ValType>,
        results: impl IntoIterator<Item = ValType>,
    ) -> FuncType {
        FuncType::register(engine, Finality::Final, None, params, results)
            .expect("a final type without supertype is valid, and the engine has room for it")
    }

    /// As [`new`](FuncType::new), for a type that may have subtypes or is one.
    ///
    /// ```
    /// use hostref::{Engine, Finality, FuncType, HeapType, RefType, ValType};
    ///
    /// # fn main() -> hostref::Result<()> {
    /// let engine = Engine::default();
    /// let open = Finality::NonFinal;
    /// let base = FuncType::with_finality_and_supertype(&engine, open, None, [], [ValType::FUNCREF])?;
    /// let result = ValType::Ref(RefType::new(true, HeapType::ConcreteFunc(base.clone())));
    /// let ty = FuncType::with_finality_and_supertype(&engine, open, Some(&base), [], [result])?;
    /// assert!(ty.matches(&base) && !base.matches(&ty));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// If `supertype` is final, or parameters and results do not match its own.
    ///
    /// # Panics
    ///
    /// If `supertype` or a function type among the others belongs to another engine.
    pub fn with_finality_and_supertype(
        engine: &Engine,
        finality: Finality,
        supertype: Option<&FuncType>,
        params: impl IntoIterator<Item = ValType>,
        results: impl IntoIterator<Item = ValType>,
    ) -> Result<FuncType> {
        FuncType::register(engine, finality, supertype, params, results)
    }

    fn register(
        engine: &Engine,
        finality: Finality,
        supertype: Option<&FuncType>,
        params: impl IntoIterator<Item = ValType>,
        results: impl IntoIterator<Item = ValType>,
    ) -> Result<FuncType> {
        let to_wasm = |ty: ValType| {
            assert!(ty.belongs_to(engine.shared()), "{ty} belongs to another engine");
            ty.to_wasm()
        };
        let ty = wasm::FuncType {
            params: params.into_iter().map(to_wasm).collect(),
            results: results.into_iter().map(to_wasm).collect(),
        };
        let supertype = supertype.map(|supertype| {
            let same = Engine::same(&supertype.engine, engine);
            assert!(same, "the supertype {supertype} belongs to another engine");
            supertype.info.id
        });
        if let Some(supertype) = supertype {
            let types = engine.shared().types();
            ensure!(!types.get(supertype).is_final, "the supertype is final");
            let fits = types.func_matches(&ty, types.func(supertype));
            ensure!(fits, "parameters or results do not match those of the supertype");
        }
        let is_final = finality == Finality::Final;
        let info = engine.shared().register_func_type(is_final, supertype, &ty)?;
        Ok(FuncType { engine: engine.clone(), info })
    }

    /// Whether the type may have subtypes.
    pub fn finality(&self) -> Finality {
        match self.engine.shared().types().get(self.info.id).is_final {
            true => Finality::Final,
            false => Finality::NonFinal,
        }
    }

    /// The type that it was declared to be a subtype of.
    pub fn supertype(&self) -> Option<FuncType> {
        let supertype = self.engine.shared().types().get(self.info.id).supertype;
        supertype.map(|id| FuncType::from_id(&self.engine, id))
    }

    /// The types of the parameters.
    pub fn params(&self) -> impl ExactSizeIterator<Item = ValType> + '_ {
        self.info.ty.params.iter().map(|ty| ValType::from_wasm(&self.engine, *ty))
    }

    /// The types of the results.
    pub fn results(&self) -> impl ExactSizeIterator<Item = ValType> + '_ {
        self.info.ty.results.iter().map(|ty| ValType::from_wasm(&self.engine, *ty))
    }

    /// The type of the parameter at `index`.
    pub fn param(&self, index: usize) -> Option<ValType> {
        self.params().nth(index)
    }

    /// The type of the result at `index`.
    pub fn result(&self, index: usize) -> Option<ValType> {
        self.results().nth(index)
    }

    /// Whether functions of this type may be used where `other` is expected.
    pub fn matches(&self, other: &FuncType) -> bool {
        Engine::same(&self.engine, &other.engine)
            && self.engine.shared().types().is_subtype(self.info.id, other.info.id)
    }

    pub(crate) fn from_id(engine: &Engine, id: wasm::TypeId) -> FuncType {
        FuncType { engine: engine.clone(), info: engine.shared().func_type(id) }
    }

    pub(crate) fn from_info(engine: Engine, info: Arc<FuncTypeInfo>) -> FuncType {
        FuncType { engine, info }
    }

    pub(crate) fn info(&self) -> &Arc<FuncTypeInfo> {
        &self.info
    }

    pub(crate) fn engine(&self) -> &Engine {
        &self.engine
    }
}

impl PartialEq for FuncType {
    fn eq(&self, other: &FuncType) -> bool {
        Engine::same(&self.engine, &other.engine) && self.info.id == other.info.id
    }
}

impl Eq for FuncType {}

impl TagType {
    /// The type of tags whose exceptions carry the parameters of `ty`, which has no results.
    pub fn new(ty: FuncType) -> TagType {
        TagType { ty }
    }

    /// The function type.
    pub fn ty(&self) -> &FuncType {
        &self.ty
    }
}

impl ExternType {
    /// The function type, if this is one.
    pub fn func(&self) -> Option<&FuncType> {
        match self {
            ExternType::Func(ty) => Some(ty),
            _ => None,
        }
    }

    /// The global type, if this is one.
    pub fn global(&self) -> Option<&GlobalType> {
        match self {
            ExternType::Global(ty) => Some(ty),
            _ => None,
        }
    }

    /// The table type, if this is one.
    pub fn table(&self) -> Option<&TableType> {
        match self {
            ExternType::Table(ty) => Some(ty),
            _ => None,
        }
    }

    /// The memory type, if this is one.
    pub fn memory(&self) -> Option<&MemoryType> {
        match self {
            ExternType::Memory(ty) => Some(ty),
            _ => None,
        }
    }

    /// The tag type, if this is one.
    pub fn tag(&self) -> Option<&TagType> {
        match self {
            ExternType::Tag(ty) => Some(ty),
            _ => None,
        }
    }
}

impl<'module> ImportType<'module> {
    /// The name of the module it is imported from.
    pub fn module(&self) -> &'module str {
        self.module
    }

    /// Its name in that module.
    pub fn name(&self) -> &'module str {
        self.name
    }

    /// Its type.
    pub fn ty(&self) -> ExternType {
        self.ty.clone()
    }
}

impl<'module> ExportType<'module> {
    /// Its name.
    pub fn name(&self) -> &'module str {
        self.name
    }

    /// Its type.
    pub fn ty(&self) -> ExternType {
        self.ty.clone()
    }
}
