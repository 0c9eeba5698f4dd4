//! Public types as text, in the notation of the text format. Names no type by a number: indices and
//! ids mean nothing to an embedder.

use std::fmt;

use super::engine::Engine;
use super::gc_types::{ArrayType, FieldType, StorageType, StructType};
use super::types::{
    ExternType, FuncType, GlobalType, HeapType, MemoryType, Mutability, RefType, TableType,
    TagType, ValType,
};
use crate::wasm::types::{self as wasm, CompositeType, TypeId};

/// How deep function types inside function types are spelt out. A type may mention itself, so there
/// must be an end.
const DEPTH: usize = 2;

impl fmt::Display for ValType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        val(f, self, DEPTH)
    }
}

impl fmt::Display for RefType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        reference(f, self, DEPTH)
    }
}

impl fmt::Display for HeapType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        heap(f, self, DEPTH)
    }
}

impl fmt::Display for StorageType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            StorageType::I8 => f.write_str("i8"),
            StorageType::I16 => f.write_str("i16"),
            StorageType::ValType(ty) => ty.fmt(f),
        }
    }
}

impl fmt::Display for FieldType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.mutability() {
            Mutability::Const => self.element_type().fmt(f),
            Mutability::Var => write!(f, "(mut {})", self.element_type()),
        }
    }
}

impl fmt::Display for FuncType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        func(f, self, DEPTH)
    }
}

impl fmt::Display for StructType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        object(f, self.engine(), self.id(), DEPTH)
    }
}

impl fmt::Display for ArrayType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        object(f, self.engine(), self.id(), DEPTH)
    }
}

impl fmt::Debug for FuncType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for GlobalType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.mutability() {
            Mutability::Const => write!(f, "(global {})", self.content()),
            Mutability::Var => write!(f, "(global (mut {}))", self.content()),
        }
    }
}

impl fmt::Display for TableType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(table ")?;
        limits(f, self.is_64(), self.minimum(), self.maximum())?;
        write!(f, " {})", self.element())
    }
}

impl fmt::Display for MemoryType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(memory ")?;
        limits(f, self.is_64(), self.minimum(), self.maximum())?;
        if self.is_shared() {
            f.write_str(" shared")?;
        }
        match self.page_size() {
            0x1_0000 => f.write_str(")"),
            size => write!(f, " (pagesize {size}))"),
        }
    }
}

impl fmt::Display for TagType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "(tag {})", self.ty())
    }
}

impl fmt::Display for ExternType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ExternType::Func(ty) => ty.fmt(f),
            ExternType::Global(ty) => ty.fmt(f),
            ExternType::Table(ty) => ty.fmt(f),
            ExternType::Memory(ty) => ty.fmt(f),
            ExternType::Tag(ty) => ty.fmt(f),
        }
    }
}

fn val(f: &mut fmt::Formatter<'_>, ty: &ValType, depth: usize) -> fmt::Result {
    match ty {
        ValType::I32 => f.write_str("i32"),
        ValType::I64 => f.write_str("i64"),
        ValType::F32 => f.write_str("f32"),
        ValType::F64 => f.write_str("f64"),
        ValType::V128 => f.write_str("v128"),
        ValType::Ref(ty) => reference(f, ty, depth),
    }
}

fn reference(f: &mut fmt::Formatter<'_>, ty: &RefType, depth: usize) -> fmt::Result {
    match (ty.is_nullable(), ty.heap_type()) {
        (true, HeapType::Extern) => return f.write_str("externref"),
        (true, HeapType::Func) => return f.write_str("funcref"),
        (true, HeapType::Exn) => return f.write_str("exnref"),
        (true, HeapType::Any) => return f.write_str("anyref"),
        (true, HeapType::Eq) => return f.write_str("eqref"),
        (true, HeapType::I31) => return f.write_str("i31ref"),
        (true, HeapType::Struct) => return f.write_str("structref"),
        (true, HeapType::Array) => return f.write_str("arrayref"),
        (true, _) => f.write_str("(ref null ")?,
        (false, _) => f.write_str("(ref ")?,
    }
    heap(f, ty.heap_type(), depth)?;
    f.write_str(")")
}

fn heap(f: &mut fmt::Formatter<'_>, ty: &HeapType, depth: usize) -> fmt::Result {
    match ty {
        HeapType::Extern => f.write_str("extern"),
        HeapType::NoExtern => f.write_str("noextern"),
        HeapType::Func => f.write_str("func"),
        HeapType::NoFunc => f.write_str("nofunc"),
        HeapType::Exn => f.write_str("exn"),
        HeapType::NoExn => f.write_str("noexn"),
        HeapType::Any => f.write_str("any"),
        HeapType::Eq => f.write_str("eq"),
        HeapType::I31 => f.write_str("i31"),
        HeapType::Struct => f.write_str("struct"),
        HeapType::Array => f.write_str("array"),
        HeapType::None => f.write_str("none"),
        HeapType::ConcreteFunc(ty) => func(f, ty, depth),
        HeapType::ConcreteStruct(ty) => object(f, ty.engine(), ty.id(), depth),
        HeapType::ConcreteArray(ty) => object(f, ty.engine(), ty.id(), depth),
    }
}

fn func(f: &mut fmt::Formatter<'_>, ty: &FuncType, depth: usize) -> fmt::Result {
    let Some(depth) = depth.checked_sub(1) else { return f.write_str("(func ..)") };
    f.write_str("(func")?;
    list(f, "param", ty.params(), depth)?;
    list(f, "result", ty.results(), depth)?;
    f.write_str(")")
}

fn object(f: &mut fmt::Formatter<'_>, engine: &Engine, id: TypeId, depth: usize) -> fmt::Result {
    let composite = engine.shared().types().get(id).composite.clone();
    match (composite, depth.checked_sub(1)) {
        (CompositeType::Func(_), _) => panic!("the type of an object is no function type"),
        (CompositeType::Struct(_), None) => f.write_str("(struct ..)"),
        (CompositeType::Array(_), None) => f.write_str("(array ..)"),
        (CompositeType::Struct(fields), Some(depth)) => {
            f.write_str("(struct")?;
            for ty in fields {
                f.write_str(" (field ")?;
                field(f, engine, ty, depth)?;
                f.write_str(")")?;
            }
            f.write_str(")")
        }
        (CompositeType::Array(ty), Some(depth)) => {
            f.write_str("(array ")?;
            field(f, engine, ty, depth)?;
            f.write_str(")")
        }
    }
}

fn field(
    f: &mut fmt::Formatter<'_>,
    engine: &Engine,
    ty: wasm::FieldType,
    depth: usize,
) -> fmt::Result {
    if ty.mutable {
        f.write_str("(mut ")?;
    }
    match ty.storage {
        wasm::StorageType::I8 => f.write_str("i8")?,
        wasm::StorageType::I16 => f.write_str("i16")?,
        wasm::StorageType::Val(ty) => val(f, &ValType::from_wasm(engine, ty), depth)?,
    }
    if ty.mutable { f.write_str(")") } else { Ok(()) }
}

fn list(
    f: &mut fmt::Formatter<'_>,
    keyword: &str,
    types: impl ExactSizeIterator<Item = ValType>,
    depth: usize,
) -> fmt::Result {
    if types.len() == 0 {
        return Ok(());
    }
    write!(f, " ({keyword}")?;
    for ty in types {
        f.write_str(" ")?;
        val(f, &ty, depth)?;
    }
    f.write_str(")")
}

fn limits(f: &mut fmt::Formatter<'_>, is_64: bool, min: u64, max: Option<u64>) -> fmt::Result {
    if is_64 {
        f.write_str("i64 ")?;
    }
    write!(f, "{min}")?;
    max.map_or(Ok(()), |max| write!(f, " {max}"))
}
