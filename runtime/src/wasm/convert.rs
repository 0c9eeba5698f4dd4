//! wasmparser's types and constant expressions in our own terms. Sees only validated input, and
//! converts nothing that [`super::decode::SUPPORTED`] leaves out.

use anyhow::anyhow;
use wasmparser::{AbstractHeapType, CompositeInnerType, Operator, UnpackedIndex};

use super::const_expr::{ConstExpr, ConstOp};
use super::index::{FuncIndex, GlobalIndex, TypeIndex};
use super::types::{
    CompositeType, FieldType, FuncType, GlobalType, HeapType, Limits, MemoryType, RefType,
    StorageType, SubType, TableType, ValType,
};
use crate::Result;

pub(crate) fn sub_type(ty: &wasmparser::SubType) -> SubType<TypeIndex> {
    SubType {
        is_final: ty.is_final,
        supertype: ty.supertype_idxs.first().map(|index| type_index(index.unpack())),
        composite: composite_type(&ty.composite_type.inner),
    }
}

fn composite_type(ty: &CompositeInnerType) -> CompositeType<TypeIndex> {
    match ty {
        CompositeInnerType::Func(ty) => CompositeType::Func(func_type(ty)),
        CompositeInnerType::Struct(ty) => {
            CompositeType::Struct(ty.fields.iter().map(|field| field_type(*field)).collect())
        }
        CompositeInnerType::Array(ty) => CompositeType::Array(field_type(ty.0)),
        CompositeInnerType::Cont(_) => unreachable!("SUPPORTED leaves out continuations"),
    }
}

fn func_type(ty: &wasmparser::FuncType) -> FuncType<TypeIndex> {
    FuncType {
        params: ty.params().iter().map(|ty| val_type(*ty)).collect(),
        results: ty.results().iter().map(|ty| val_type(*ty)).collect(),
    }
}

fn field_type(ty: wasmparser::FieldType) -> FieldType<TypeIndex> {
    let storage = match ty.element_type {
        wasmparser::StorageType::I8 => StorageType::I8,
        wasmparser::StorageType::I16 => StorageType::I16,
        wasmparser::StorageType::Val(ty) => StorageType::Val(val_type(ty)),
    };
    FieldType { storage, mutable: ty.mutable }
}

pub(crate) fn val_type(ty: wasmparser::ValType) -> ValType<TypeIndex> {
    match ty {
        wasmparser::ValType::I32 => ValType::I32,
        wasmparser::ValType::I64 => ValType::I64,
        wasmparser::ValType::F32 => ValType::F32,
        wasmparser::ValType::F64 => ValType::F64,
        wasmparser::ValType::V128 => ValType::V128,
        wasmparser::ValType::Ref(ty) => ValType::Ref(ref_type(ty)),
    }
}

pub(crate) fn ref_type(ty: wasmparser::RefType) -> RefType<TypeIndex> {
    RefType { nullable: ty.is_nullable(), heap: heap_type(ty.heap_type()) }
}

pub(crate) fn heap_type(ty: wasmparser::HeapType) -> HeapType<TypeIndex> {
    let ty = match ty {
        wasmparser::HeapType::Abstract { ty, .. } => ty,
        wasmparser::HeapType::Concrete(index) => return HeapType::Concrete(type_index(index)),
        wasmparser::HeapType::Exact(_) => unreachable!("SUPPORTED leaves out exact types"),
    };
    match ty {
        AbstractHeapType::Func => HeapType::Func,
        AbstractHeapType::NoFunc => HeapType::NoFunc,
        AbstractHeapType::Extern => HeapType::Extern,
        AbstractHeapType::NoExtern => HeapType::NoExtern,
        AbstractHeapType::Exn => HeapType::Exn,
        AbstractHeapType::NoExn => HeapType::NoExn,
        AbstractHeapType::Any => HeapType::Any,
        AbstractHeapType::Eq => HeapType::Eq,
        AbstractHeapType::I31 => HeapType::I31,
        AbstractHeapType::Struct => HeapType::Struct,
        AbstractHeapType::Array => HeapType::Array,
        AbstractHeapType::None => HeapType::None,
        AbstractHeapType::Cont | AbstractHeapType::NoCont => {
            unreachable!("SUPPORTED leaves out continuations")
        }
    }
}

/// The index behind `index`, which a section or a function body holds. The validator's own types
/// name types by its ids, and must not come here.
pub(crate) fn type_index(index: UnpackedIndex) -> TypeIndex {
    match index {
        UnpackedIndex::Module(index) => TypeIndex(index),
        UnpackedIndex::RecGroup(_) | UnpackedIndex::Id(_) => {
            unreachable!("types read from the module's bytes name types by their index")
        }
    }
}

pub(crate) fn table_type(ty: wasmparser::TableType) -> TableType<TypeIndex> {
    TableType {
        element: ref_type(ty.element_type),
        limits: Limits { min: ty.initial, max: ty.maximum },
        is_64: ty.table64,
    }
}

pub(crate) fn memory_type(ty: wasmparser::MemoryType) -> MemoryType {
    MemoryType {
        limits: Limits { min: ty.initial, max: ty.maximum },
        is_64: ty.memory64,
        shared: ty.shared,
        page_size_log2: u8::try_from(ty.page_size_log2()).expect("validated: at most 16"),
    }
}

pub(crate) fn global_type(ty: wasmparser::GlobalType) -> GlobalType<TypeIndex> {
    GlobalType { content: val_type(ty.content_type), mutable: ty.mutable }
}

/// Converts a constant expression.
///
/// # Errors
///
/// If the expression uses an instruction that [`ConstOp`] does not have; the text carries the
/// byte offset.
pub(crate) fn const_expr(expr: &wasmparser::ConstExpr<'_>) -> Result<ConstExpr> {
    let mut ops = Vec::new();
    let mut reader = expr.get_operators_reader();
    while !reader.eof() {
        let (op, offset) = reader.read_with_offset()?;
        ops.push(match op {
            Operator::End => break,
            Operator::I32Const { value } => ConstOp::I32Const(value),
            Operator::I64Const { value } => ConstOp::I64Const(value),
            Operator::F32Const { value } => ConstOp::F32Const(value.bits()),
            Operator::F64Const { value } => ConstOp::F64Const(value.bits()),
            Operator::V128Const { value } => {
                ConstOp::V128Const(u128::from_le_bytes(*value.bytes()))
            }
            Operator::GlobalGet { global_index } => ConstOp::GlobalGet(GlobalIndex(global_index)),
            Operator::RefNull { hty } => ConstOp::RefNull(heap_type(hty)),
            Operator::RefFunc { function_index } => ConstOp::RefFunc(FuncIndex(function_index)),
            Operator::I32Add => ConstOp::I32Add,
            Operator::I32Sub => ConstOp::I32Sub,
            Operator::I32Mul => ConstOp::I32Mul,
            Operator::I64Add => ConstOp::I64Add,
            Operator::I64Sub => ConstOp::I64Sub,
            Operator::I64Mul => ConstOp::I64Mul,
            Operator::StructNew { struct_type_index } => {
                ConstOp::StructNew(TypeIndex(struct_type_index))
            }
            Operator::StructNewDefault { struct_type_index } => {
                ConstOp::StructNewDefault(TypeIndex(struct_type_index))
            }
            Operator::ArrayNew { array_type_index } => {
                ConstOp::ArrayNew(TypeIndex(array_type_index))
            }
            Operator::ArrayNewDefault { array_type_index } => {
                ConstOp::ArrayNewDefault(TypeIndex(array_type_index))
            }
            Operator::ArrayNewFixed { array_type_index, array_size } => {
                ConstOp::ArrayNewFixed(TypeIndex(array_type_index), array_size)
            }
            Operator::RefI31 => ConstOp::RefI31,
            Operator::AnyConvertExtern | Operator::ExternConvertAny => ConstOp::ConvertReference,
            op => {
                return Err(anyhow!(
                    "constant instruction not supported: {op:?} (at offset {offset:#x})"
                ));
            }
        });
    }
    Ok(ConstExpr { ops: ops.into() })
}
