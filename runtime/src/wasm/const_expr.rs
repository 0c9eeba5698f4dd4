//! Constant expressions as data. `instance` evaluates them.

use serde::{Deserialize, Serialize};

use super::index::{FuncIndex, GlobalIndex, TypeIndex};
use super::types::HeapType;

/// One instruction of a constant expression.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum ConstOp {
    I32Const(i32),
    I64Const(i64),
    /// The bits of an f32.
    F32Const(u32),
    /// The bits of an f64.
    F64Const(u64),
    V128Const(u128),
    GlobalGet(GlobalIndex),
    RefNull(HeapType<TypeIndex>),
    RefFunc(FuncIndex),
    I32Add,
    I32Sub,
    I32Mul,
    I64Add,
    I64Sub,
    I64Mul,
    StructNew(TypeIndex),
    StructNewDefault(TypeIndex),
    ArrayNew(TypeIndex),
    ArrayNewDefault(TypeIndex),
    /// An array of so many operands.
    ArrayNewFixed(TypeIndex, u32),
    RefI31,
    /// `any.convert_extern` or `extern.convert_any`: both keep the reference.
    ConvertReference,
}

/// A validated constant expression: operands are pushed, the last value is the result.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct ConstExpr {
    pub(crate) ops: Box<[ConstOp]>,
}
