//! Operators on vectors. This file owns their shapes: on the operand stack, in locals and in
//! signatures every vector is an `I8X16`, and an operator takes its operands in the shape that it
//! works on. Which method handles an operator stands in `ops`.

mod arith;
mod convert;
mod lanes;
mod memory;
mod ops;
mod relaxed;

use cranelift_codegen::ir::types::I8X16;
use cranelift_codegen::ir::{
    Endianness, InstBuilder, InstructionData, MemFlagsData, Opcode, Type, Value, ValueDef,
};

use super::Translator;

/// Which lanes of a vector are widened.
#[derive(Clone, Copy)]
enum Half {
    Low,
    High,
}

impl Translator<'_> {
    /// Pops a vector as one of shape `shape`.
    fn pop_as(&mut self, shape: Type) -> Value {
        let value = self.pop();
        self.reshape(shape, value)
    }

    fn pop2_as(&mut self, shape: Type) -> (Value, Value) {
        let second = self.pop_as(shape);
        (self.pop_as(shape), second)
    }

    fn pop3_as(&mut self, shape: Type) -> (Value, Value, Value) {
        let third = self.pop_as(shape);
        let (first, second) = self.pop2_as(shape);
        (first, second, third)
    }

    /// `value` as the operand stack holds it.
    pub(super) fn canonical(&mut self, value: Value) -> Value {
        if self.type_of(value).is_vector() { self.reshape(I8X16, value) } else { value }
    }

    /// The bits of a vector as one of shape `shape`. Lane 0 stays in the low bits.
    fn reshape(&mut self, shape: Type, value: Value) -> Value {
        let value = self.native(value);
        if self.type_of(value) == shape {
            return value;
        }
        let flags = MemFlagsData::new().with_endianness(Endianness::Little);
        self.builder.ins().bitcast(shape, flags, value)
    }

    /// The vector that `value` is another shape of: how it was computed. Cranelift knows more about
    /// that one, such as that every lane is all ones or all zeros.
    fn native(&self, value: Value) -> Value {
        let dfg = &self.builder.func.dfg;
        match dfg.value_def(value) {
            ValueDef::Result(inst, 0) => match dfg.insts[inst] {
                InstructionData::LoadNoOffset { opcode: Opcode::Bitcast, arg, .. }
                    if dfg.value_type(arg).is_vector() =>
                {
                    arg
                }
                _ => value,
            },
            _ => value,
        }
    }

    /// A vector constant of shape `shape`; the first byte belongs to lane 0.
    fn vector_const(&mut self, shape: Type, bytes: [u8; 16]) -> Value {
        let constant = self.builder.func.dfg.constants.insert(bytes.to_vec().into());
        self.builder.ins().vconst(shape, constant)
    }
}
