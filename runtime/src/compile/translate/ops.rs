//! The index of operators but those on vectors: one line each, in the order of the specification, no
//! logic. Each line
//! names the method that translates the operator; the comments name the files.

use anyhow::anyhow;
use cranelift_codegen::ir::condcodes::{FloatCC, IntCC};
use cranelift_codegen::ir::types::{F32, F64, I8, I16, I32, I64};
use cranelift_codegen::ir::{AtomicRmwOp, Opcode};
use wasmparser::Operator::{self, *};

use super::Translator;
use super::call::CallKind::{Nested, Tail};
use super::convert::Sign::{Signed, Unsigned};
use super::gc::Extension;
use crate::abi::builtins::Builtin;
use crate::wasm::index::FuncIndex;
use crate::{Error, Result};

impl Translator<'_> {
    /// Translates an operator that control can reach. `offset` is its place in the Wasm bytes.
    #[rustfmt::skip]
    #[expect(clippy::too_many_lines, reason = "a table: one line per operator")]
    pub(super) fn operator(&mut self, operator: &Operator<'_>, offset: u64) -> Result<()> {
        match *operator {
            // control.rs
            Unreachable => self.unreachable(),
            Nop => {}
            Block { blockty } => self.block(blockty),
            Loop { blockty } => self.loop_(blockty),
            If { blockty } => self.if_(blockty, offset),
            Else => self.else_(),
            End => self.end(),
            Br { relative_depth } => self.br(relative_depth),
            BrIf { relative_depth } => self.br_if(relative_depth, offset),
            BrTable { ref targets } => self.br_table(targets)?,
            BrOnNull { relative_depth } => self.br_on_null(relative_depth),
            BrOnNonNull { relative_depth } => self.br_on_non_null(relative_depth),
            BrOnCast { relative_depth, from_ref_type, to_ref_type } => self.br_on_cast(relative_depth, from_ref_type, to_ref_type, true),
            BrOnCastFail { relative_depth, from_ref_type, to_ref_type } => self.br_on_cast(relative_depth, from_ref_type, to_ref_type, false),
            Return => self.return_(),

            // call.rs
            Call { function_index } => self.call(Nested, FuncIndex(function_index))?,
            CallIndirect { type_index, table_index } => self.call_indirect(Nested, type_index, table_index),
            ReturnCall { function_index } => self.call(Tail, FuncIndex(function_index))?,
            CallRef { type_index } => self.call_ref(Nested, type_index)?,
            ReturnCallIndirect { type_index, table_index } => self.call_indirect(Tail, type_index, table_index),
            ReturnCallRef { type_index } => self.call_ref(Tail, type_index)?,

            // exception.rs
            TryTable { ref try_table } => self.try_table(try_table, offset)?,
            Throw { tag_index } => self.throw(tag_index),
            ThrowRef => self.throw_ref(),

            // variable.rs
            Drop => self.drop_(),
            Select => self.select(),
            TypedSelect { ty } => self.typed_select(ty),
            LocalGet { local_index } => self.local_get(local_index),
            LocalSet { local_index } => self.local_set(local_index),
            LocalTee { local_index } => self.local_tee(local_index),
            GlobalGet { global_index } => self.global_get(global_index),
            GlobalSet { global_index } => self.global_set(global_index),

            // table.rs
            TableGet { table } => self.table_get(table),
            TableSet { table } => self.table_set(table),
            TableSize { table } => self.table_size(table),
            TableGrow { table } => self.table_grow(table),
            TableFill { table } => self.table_fill(table),
            TableCopy { dst_table, src_table } => self.table_copy(dst_table, src_table),
            TableInit { elem_index, table } => self.table_init(table, elem_index),
            ElemDrop { elem_index } => self.elem_drop(elem_index),

            // memory.rs
            I32Load { ref memarg } => self.load(Opcode::Load, I32, memarg),
            I64Load { ref memarg } => self.load(Opcode::Load, I64, memarg),
            F32Load { ref memarg } => self.load(Opcode::Load, F32, memarg),
            F64Load { ref memarg } => self.load(Opcode::Load, F64, memarg),
            I32Load8S { ref memarg } => self.load(Opcode::Sload8, I32, memarg),
            I32Load8U { ref memarg } => self.load(Opcode::Uload8, I32, memarg),
            I32Load16S { ref memarg } => self.load(Opcode::Sload16, I32, memarg),
            I32Load16U { ref memarg } => self.load(Opcode::Uload16, I32, memarg),
            I64Load8S { ref memarg } => self.load(Opcode::Sload8, I64, memarg),
            I64Load8U { ref memarg } => self.load(Opcode::Uload8, I64, memarg),
            I64Load16S { ref memarg } => self.load(Opcode::Sload16, I64, memarg),
            I64Load16U { ref memarg } => self.load(Opcode::Uload16, I64, memarg),
            I64Load32S { ref memarg } => self.load(Opcode::Sload32, I64, memarg),
            I64Load32U { ref memarg } => self.load(Opcode::Uload32, I64, memarg),
            I32Store { ref memarg } => self.store(Opcode::Store, memarg),
            I64Store { ref memarg } => self.store(Opcode::Store, memarg),
            F32Store { ref memarg } => self.store(Opcode::Store, memarg),
            F64Store { ref memarg } => self.store(Opcode::Store, memarg),
            I32Store8 { ref memarg } => self.store(Opcode::Istore8, memarg),
            I32Store16 { ref memarg } => self.store(Opcode::Istore16, memarg),
            I64Store8 { ref memarg } => self.store(Opcode::Istore8, memarg),
            I64Store16 { ref memarg } => self.store(Opcode::Istore16, memarg),
            I64Store32 { ref memarg } => self.store(Opcode::Istore32, memarg),
            MemorySize { mem } => self.memory_size(mem),
            MemoryGrow { mem } => self.memory_grow(mem),
            MemoryInit { data_index, mem } => self.memory_init(mem, data_index),
            DataDrop { data_index } => self.data_drop(data_index),
            MemoryCopy { dst_mem, src_mem } => self.memory_copy(dst_mem, src_mem),
            MemoryFill { mem } => self.memory_fill(mem),

            // reference.rs
            RefNull { hty } => self.ref_null(hty),
            RefIsNull => self.ref_is_null(),
            RefAsNonNull => self.ref_as_non_null(),
            RefFunc { function_index } => self.ref_func(function_index),

            // gc/cast.rs
            RefEq => self.ref_eq(),
            RefTestNonNull { hty } => self.ref_test(false, hty),
            RefTestNullable { hty } => self.ref_test(true, hty),
            RefCastNonNull { hty } => self.ref_cast(false, hty),
            RefCastNullable { hty } => self.ref_cast(true, hty),

            // gc/structs.rs
            StructNew { struct_type_index } => self.struct_new(struct_type_index),
            StructNewDefault { struct_type_index } => self.struct_new_default(struct_type_index),
            StructGet { struct_type_index, field_index } => self.struct_get(struct_type_index, field_index, Extension::None),
            StructGetS { struct_type_index, field_index } => self.struct_get(struct_type_index, field_index, Extension::Signed),
            StructGetU { struct_type_index, field_index } => self.struct_get(struct_type_index, field_index, Extension::Unsigned),
            StructSet { struct_type_index, field_index } => self.struct_set(struct_type_index, field_index),

            // gc/arrays.rs
            ArrayNew { array_type_index } => self.array_new(array_type_index),
            ArrayNewDefault { array_type_index } => self.array_new_default(array_type_index),
            ArrayNewFixed { array_type_index, array_size } => self.array_new_fixed(array_type_index, array_size),
            ArrayNewData { array_type_index, array_data_index } => self.array_new_data(array_type_index, array_data_index),
            ArrayNewElem { array_type_index, array_elem_index } => self.array_new_elem(array_type_index, array_elem_index),
            ArrayGet { array_type_index } => self.array_get(array_type_index, Extension::None),
            ArrayGetS { array_type_index } => self.array_get(array_type_index, Extension::Signed),
            ArrayGetU { array_type_index } => self.array_get(array_type_index, Extension::Unsigned),
            ArraySet { array_type_index } => self.array_set(array_type_index),
            ArrayLen => self.array_len(),

            // gc/bulk.rs
            ArrayFill { array_type_index } => self.array_fill(array_type_index),
            ArrayCopy { array_type_index_dst, array_type_index_src } => self.array_copy(array_type_index_dst, array_type_index_src),
            ArrayInitData { array_type_index: _, array_data_index } => self.array_init_data(array_data_index),
            ArrayInitElem { array_type_index: _, array_elem_index } => self.array_init_elem(array_elem_index),

            // gc/i31.rs
            RefI31 => self.ref_i31(),
            I31GetS => self.i31_get(Extension::Signed),
            I31GetU => self.i31_get(Extension::Unsigned),
            AnyConvertExtern | ExternConvertAny => self.convert_reference(),

            // numeric.rs
            I32Const { value } => self.i32_value(value),
            I64Const { value } => self.i64_value(value),
            F32Const { value } => self.f32_value(value),
            F64Const { value } => self.f64_value(value),
            I32Eqz | I64Eqz => self.eqz(),
            I32Eq | I64Eq => self.compare(IntCC::Equal),
            I32Ne | I64Ne => self.compare(IntCC::NotEqual),
            I32LtS | I64LtS => self.compare(IntCC::SignedLessThan),
            I32LtU | I64LtU => self.compare(IntCC::UnsignedLessThan),
            I32GtS | I64GtS => self.compare(IntCC::SignedGreaterThan),
            I32GtU | I64GtU => self.compare(IntCC::UnsignedGreaterThan),
            I32LeS | I64LeS => self.compare(IntCC::SignedLessThanOrEqual),
            I32LeU | I64LeU => self.compare(IntCC::UnsignedLessThanOrEqual),
            I32GeS | I64GeS => self.compare(IntCC::SignedGreaterThanOrEqual),
            I32GeU | I64GeU => self.compare(IntCC::UnsignedGreaterThanOrEqual),
            F32Eq | F64Eq => self.float_compare(FloatCC::Equal),
            F32Ne | F64Ne => self.float_compare(FloatCC::NotEqual),
            F32Lt | F64Lt => self.float_compare(FloatCC::LessThan),
            F32Gt | F64Gt => self.float_compare(FloatCC::GreaterThan),
            F32Le | F64Le => self.float_compare(FloatCC::LessThanOrEqual),
            F32Ge | F64Ge => self.float_compare(FloatCC::GreaterThanOrEqual),
            I32Clz | I64Clz => self.unary(Opcode::Clz),
            I32Ctz | I64Ctz => self.unary(Opcode::Ctz),
            I32Popcnt | I64Popcnt => self.unary(Opcode::Popcnt),
            I32Add | I64Add => self.binary(Opcode::Iadd),
            I32Sub | I64Sub => self.binary(Opcode::Isub),
            I32Mul | I64Mul => self.binary(Opcode::Imul),
            I32DivS | I64DivS => self.divide_signed(),
            I32DivU | I64DivU => self.divide(Opcode::Udiv),
            I32RemS | I64RemS => self.divide(Opcode::Srem),
            I32RemU | I64RemU => self.divide(Opcode::Urem),
            I32And | I64And => self.binary(Opcode::Band),
            I32Or | I64Or => self.binary(Opcode::Bor),
            I32Xor | I64Xor => self.binary(Opcode::Bxor),
            I32Shl | I64Shl => self.binary(Opcode::Ishl),
            I32ShrS | I64ShrS => self.binary(Opcode::Sshr),
            I32ShrU | I64ShrU => self.binary(Opcode::Ushr),
            I32Rotl | I64Rotl => self.binary(Opcode::Rotl),
            I32Rotr | I64Rotr => self.binary(Opcode::Rotr),
            F32Abs | F64Abs => self.unary(Opcode::Fabs),
            F32Neg | F64Neg => self.unary(Opcode::Fneg),
            F32Ceil | F64Ceil => self.unary(Opcode::Ceil),
            F32Floor | F64Floor => self.unary(Opcode::Floor),
            F32Trunc | F64Trunc => self.unary(Opcode::Trunc),
            F32Nearest | F64Nearest => self.unary(Opcode::Nearest),
            F32Sqrt | F64Sqrt => self.unary(Opcode::Sqrt),
            F32Add | F64Add => self.binary(Opcode::Fadd),
            F32Sub | F64Sub => self.binary(Opcode::Fsub),
            F32Mul | F64Mul => self.binary(Opcode::Fmul),
            F32Div | F64Div => self.binary(Opcode::Fdiv),
            F32Min | F64Min => self.binary(Opcode::Fmin),
            F32Max | F64Max => self.binary(Opcode::Fmax),
            F32Copysign | F64Copysign => self.binary(Opcode::Fcopysign),

            // convert.rs
            I32WrapI64 => self.convert(Opcode::Ireduce, I32),
            I32TruncF32S | I32TruncF64S => self.truncate(Signed, I32),
            I32TruncF32U | I32TruncF64U => self.truncate(Unsigned, I32),
            I64ExtendI32S => self.convert(Opcode::Sextend, I64),
            I64ExtendI32U => self.convert(Opcode::Uextend, I64),
            I64TruncF32S | I64TruncF64S => self.truncate(Signed, I64),
            I64TruncF32U | I64TruncF64U => self.truncate(Unsigned, I64),
            F32ConvertI32S | F32ConvertI64S => self.convert(Opcode::FcvtFromSint, F32),
            F32ConvertI32U | F32ConvertI64U => self.convert(Opcode::FcvtFromUint, F32),
            F32DemoteF64 => self.convert(Opcode::Fdemote, F32),
            F64ConvertI32S | F64ConvertI64S => self.convert(Opcode::FcvtFromSint, F64),
            F64ConvertI32U | F64ConvertI64U => self.convert(Opcode::FcvtFromUint, F64),
            F64PromoteF32 => self.convert(Opcode::Fpromote, F64),
            I32ReinterpretF32 => self.reinterpret(I32),
            I64ReinterpretF64 => self.reinterpret(I64),
            F32ReinterpretI32 => self.reinterpret(F32),
            F64ReinterpretI64 => self.reinterpret(F64),
            I32Extend8S | I64Extend8S => self.extend_low(I8),
            I32Extend16S | I64Extend16S => self.extend_low(I16),
            I64Extend32S => self.extend_low(I32),
            I32TruncSatF32S | I32TruncSatF64S => self.truncate_saturating(Signed, I32),
            I32TruncSatF32U | I32TruncSatF64U => self.truncate_saturating(Unsigned, I32),
            I64TruncSatF32S | I64TruncSatF64S => self.truncate_saturating(Signed, I64),
            I64TruncSatF32U | I64TruncSatF64U => self.truncate_saturating(Unsigned, I64),

            // Wide arithmetic
            I64Add128 => self.binary_wide(Opcode::Iadd),
            I64Sub128 => self.binary_wide(Opcode::Isub),
            I64MulWideS => self.multiply_wide(Opcode::Sextend),
            I64MulWideU => self.multiply_wide(Opcode::Uextend),

            // atomic.rs
            MemoryAtomicNotify { ref memarg } => self.atomic_notify(memarg),
            MemoryAtomicWait32 { ref memarg } => self.atomic_wait(Builtin::MemoryAtomicWait32, memarg),
            MemoryAtomicWait64 { ref memarg } => self.atomic_wait(Builtin::MemoryAtomicWait64, memarg),
            AtomicFence { .. } => self.atomic_fence(),
            I32AtomicLoad { ref memarg } => self.atomic_load(I32, I32, memarg),
            I64AtomicLoad { ref memarg } => self.atomic_load(I64, I64, memarg),
            I32AtomicLoad8U { ref memarg } => self.atomic_load(I32, I8, memarg),
            I32AtomicLoad16U { ref memarg } => self.atomic_load(I32, I16, memarg),
            I64AtomicLoad8U { ref memarg } => self.atomic_load(I64, I8, memarg),
            I64AtomicLoad16U { ref memarg } => self.atomic_load(I64, I16, memarg),
            I64AtomicLoad32U { ref memarg } => self.atomic_load(I64, I32, memarg),
            I32AtomicStore { ref memarg } => self.atomic_store(I32, memarg),
            I64AtomicStore { ref memarg } => self.atomic_store(I64, memarg),
            I32AtomicStore8 { ref memarg } => self.atomic_store(I8, memarg),
            I32AtomicStore16 { ref memarg } => self.atomic_store(I16, memarg),
            I64AtomicStore8 { ref memarg } => self.atomic_store(I8, memarg),
            I64AtomicStore16 { ref memarg } => self.atomic_store(I16, memarg),
            I64AtomicStore32 { ref memarg } => self.atomic_store(I32, memarg),
            I32AtomicRmwAdd { ref memarg } => self.atomic_rmw(AtomicRmwOp::Add, I32, memarg),
            I64AtomicRmwAdd { ref memarg } => self.atomic_rmw(AtomicRmwOp::Add, I64, memarg),
            I32AtomicRmw8AddU { ref memarg } => self.atomic_rmw(AtomicRmwOp::Add, I8, memarg),
            I32AtomicRmw16AddU { ref memarg } => self.atomic_rmw(AtomicRmwOp::Add, I16, memarg),
            I64AtomicRmw8AddU { ref memarg } => self.atomic_rmw(AtomicRmwOp::Add, I8, memarg),
            I64AtomicRmw16AddU { ref memarg } => self.atomic_rmw(AtomicRmwOp::Add, I16, memarg),
            I64AtomicRmw32AddU { ref memarg } => self.atomic_rmw(AtomicRmwOp::Add, I32, memarg),
            I32AtomicRmwSub { ref memarg } => self.atomic_rmw(AtomicRmwOp::Sub, I32, memarg),
            I64AtomicRmwSub { ref memarg } => self.atomic_rmw(AtomicRmwOp::Sub, I64, memarg),
            I32AtomicRmw8SubU { ref memarg } => self.atomic_rmw(AtomicRmwOp::Sub, I8, memarg),
            I32AtomicRmw16SubU { ref memarg } => self.atomic_rmw(AtomicRmwOp::Sub, I16, memarg),
            I64AtomicRmw8SubU { ref memarg } => self.atomic_rmw(AtomicRmwOp::Sub, I8, memarg),
            I64AtomicRmw16SubU { ref memarg } => self.atomic_rmw(AtomicRmwOp::Sub, I16, memarg),
            I64AtomicRmw32SubU { ref memarg } => self.atomic_rmw(AtomicRmwOp::Sub, I32, memarg),
            I32AtomicRmwAnd { ref memarg } => self.atomic_rmw(AtomicRmwOp::And, I32, memarg),
            I64AtomicRmwAnd { ref memarg } => self.atomic_rmw(AtomicRmwOp::And, I64, memarg),
            I32AtomicRmw8AndU { ref memarg } => self.atomic_rmw(AtomicRmwOp::And, I8, memarg),
            I32AtomicRmw16AndU { ref memarg } => self.atomic_rmw(AtomicRmwOp::And, I16, memarg),
            I64AtomicRmw8AndU { ref memarg } => self.atomic_rmw(AtomicRmwOp::And, I8, memarg),
            I64AtomicRmw16AndU { ref memarg } => self.atomic_rmw(AtomicRmwOp::And, I16, memarg),
            I64AtomicRmw32AndU { ref memarg } => self.atomic_rmw(AtomicRmwOp::And, I32, memarg),
            I32AtomicRmwOr { ref memarg } => self.atomic_rmw(AtomicRmwOp::Or, I32, memarg),
            I64AtomicRmwOr { ref memarg } => self.atomic_rmw(AtomicRmwOp::Or, I64, memarg),
            I32AtomicRmw8OrU { ref memarg } => self.atomic_rmw(AtomicRmwOp::Or, I8, memarg),
            I32AtomicRmw16OrU { ref memarg } => self.atomic_rmw(AtomicRmwOp::Or, I16, memarg),
            I64AtomicRmw8OrU { ref memarg } => self.atomic_rmw(AtomicRmwOp::Or, I8, memarg),
            I64AtomicRmw16OrU { ref memarg } => self.atomic_rmw(AtomicRmwOp::Or, I16, memarg),
            I64AtomicRmw32OrU { ref memarg } => self.atomic_rmw(AtomicRmwOp::Or, I32, memarg),
            I32AtomicRmwXor { ref memarg } => self.atomic_rmw(AtomicRmwOp::Xor, I32, memarg),
            I64AtomicRmwXor { ref memarg } => self.atomic_rmw(AtomicRmwOp::Xor, I64, memarg),
            I32AtomicRmw8XorU { ref memarg } => self.atomic_rmw(AtomicRmwOp::Xor, I8, memarg),
            I32AtomicRmw16XorU { ref memarg } => self.atomic_rmw(AtomicRmwOp::Xor, I16, memarg),
            I64AtomicRmw8XorU { ref memarg } => self.atomic_rmw(AtomicRmwOp::Xor, I8, memarg),
            I64AtomicRmw16XorU { ref memarg } => self.atomic_rmw(AtomicRmwOp::Xor, I16, memarg),
            I64AtomicRmw32XorU { ref memarg } => self.atomic_rmw(AtomicRmwOp::Xor, I32, memarg),
            I32AtomicRmwXchg { ref memarg } => self.atomic_rmw(AtomicRmwOp::Xchg, I32, memarg),
            I64AtomicRmwXchg { ref memarg } => self.atomic_rmw(AtomicRmwOp::Xchg, I64, memarg),
            I32AtomicRmw8XchgU { ref memarg } => self.atomic_rmw(AtomicRmwOp::Xchg, I8, memarg),
            I32AtomicRmw16XchgU { ref memarg } => self.atomic_rmw(AtomicRmwOp::Xchg, I16, memarg),
            I64AtomicRmw8XchgU { ref memarg } => self.atomic_rmw(AtomicRmwOp::Xchg, I8, memarg),
            I64AtomicRmw16XchgU { ref memarg } => self.atomic_rmw(AtomicRmwOp::Xchg, I16, memarg),
            I64AtomicRmw32XchgU { ref memarg } => self.atomic_rmw(AtomicRmwOp::Xchg, I32, memarg),
            I32AtomicRmwCmpxchg { ref memarg } => self.atomic_cmpxchg(I32, memarg),
            I64AtomicRmwCmpxchg { ref memarg } => self.atomic_cmpxchg(I64, memarg),
            I32AtomicRmw8CmpxchgU { ref memarg } => self.atomic_cmpxchg(I8, memarg),
            I32AtomicRmw16CmpxchgU { ref memarg } => self.atomic_cmpxchg(I16, memarg),
            I64AtomicRmw8CmpxchgU { ref memarg } => self.atomic_cmpxchg(I8, memarg),
            I64AtomicRmw16CmpxchgU { ref memarg } => self.atomic_cmpxchg(I16, memarg),
            I64AtomicRmw32CmpxchgU { ref memarg } => self.atomic_cmpxchg(I32, memarg),

            ref operator => return self.simd_operator(operator, offset),
        }
        Ok(())
    }
}

pub(super) fn unsupported(operator: &Operator<'_>, offset: u64) -> Error {
    let (visitor, proposal) = describe(operator);
    let name = spec_name(visitor);
    let proposal = proposal.replace('_', " ");
    anyhow!("`{name}` is not supported yet: {proposal} (at offset {offset:#x})")
}

/// The name of wasmparser's visitor method for an operator, and the proposal that added it.
fn describe(operator: &Operator<'_>) -> (&'static str, &'static str) {
    macro_rules! describe {
        ($(@$proposal:ident $op:ident $({ $($field:ident: $ty:ty),* })? => $visit:ident $ann:tt)*) => {
            match operator {
                $($op $({ $($field: _),* })? => (stringify!($visit), stringify!($proposal)),)*
                _ => ("visit_operator", "an unknown proposal"),
            }
        };
    }
    wasmparser::for_each_operator!(describe)
}

/// `visit_struct_new` to `struct.new`: the text format has a dot where the name begins with a type
/// or with an index space.
fn spec_name(visitor: &str) -> String {
    const PREFIXES: [&str; 21] = [
        "i32", "i64", "f32", "f64", "v128", "i8x16", "i16x8", "i32x4", "i64x2", "f32x4", "f64x2",
        "i31", "struct", "array", "ref", "any", "extern", "memory", "table", "global", "atomic",
    ];
    let name = visitor.trim_start_matches("visit_");
    let name = name.trim_end_matches("_non_null").trim_end_matches("_nullable");
    match name.split_once('_') {
        Some((prefix, rest)) if PREFIXES.contains(&prefix) => format!("{prefix}.{rest}"),
        _ => name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The proposals whose operators all have a line in the index.
    const SUPPORTED: [&str; 13] = [
        "mvp",
        "sign_extension",
        "saturating_float_to_int",
        "bulk_memory",
        "reference_types",
        "tail_call",
        "exceptions",
        "function_references",
        "gc",
        "simd",
        "relaxed_simd",
        "wide_arithmetic",
        "threads",
    ];

    /// The proposals none of whose operators is compiled yet.
    const UNSUPPORTED: [&str; 7] = [
        "custom_descriptors",
        "memory_control",
        "legacy_exceptions",
        "shared_everything_threads",
        "stack_switching",
        "acquire_release_atomics",
        "multibyte_array_access",
    ];

    /// Parsed by wasmparser, but never valid.
    const INVALID: [&str; 1] = ["TypedSelectMulti"];

    macro_rules! names {
        ($(@$proposal:ident $op:ident $({ $($field:ident: $ty:ty),* })? => $visit:ident $ann:tt)*) => {
            &[$((stringify!($proposal), stringify!($op))),*]
        };
    }
    const ALL: &[(&str, &str)] = wasmparser::for_each_operator!(names);

    /// The operators that the two indices mention.
    fn index() -> Vec<&'static str> {
        let sources = [include_str!("ops.rs"), include_str!("simd/ops.rs")];
        sources.into_iter().flat_map(index_in).collect()
    }

    /// The operators that the index in `source` mentions.
    fn index_in(source: &'static str) -> Vec<&'static str> {
        let begin = source.find("match *operator {").expect("the index begins");
        let end = source.find("ref operator =>").expect("the index ends");
        let lines = source[begin..end].lines().skip(1);
        let patterns = lines.filter_map(|line| line.split_once(" => ")).map(|(left, _)| left);
        patterns
            .flat_map(|pattern| pattern.split('|'))
            .map(|pattern| pattern.split('{').next().expect("never empty").trim())
            .collect()
    }

    #[test]
    fn every_operator_of_a_supported_proposal_is_in_the_index_and_no_other() {
        let index = index();
        for (proposal, operator) in ALL {
            assert!(
                SUPPORTED.contains(proposal) || UNSUPPORTED.contains(proposal),
                "say whether the proposal {proposal} of {operator} is supported"
            );
            assert_eq!(
                index.contains(operator),
                SUPPORTED.contains(proposal) && !INVALID.contains(operator),
                "{operator} of the proposal {proposal}"
            );
        }
    }

    #[test]
    fn no_operator_stands_twice_in_the_index() {
        let mut index = index();
        index.sort_unstable();
        let count = index.len();
        index.dedup();
        assert_eq!(index.len(), count);
    }

    #[test]
    fn messages_use_the_names_of_the_specification() {
        let message = |operator: Operator<'_>| unsupported(&operator, 0x2a).to_string();
        assert_eq!(
            message(StructNew { struct_type_index: 0 }),
            "`struct.new` is not supported yet: gc (at offset 0x2a)"
        );
        assert_eq!(
            message(ThrowRef),
            "`throw_ref` is not supported yet: exceptions (at offset 0x2a)"
        );
        assert_eq!(
            message(RefGetDesc { type_index: 0 }),
            "`ref.get_desc` is not supported yet: custom descriptors (at offset 0x2a)"
        );
    }
}
