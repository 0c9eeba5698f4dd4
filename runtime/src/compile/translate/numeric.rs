//! Integer and float arithmetic and comparisons. Conversions between types are in `convert`.

use cranelift_codegen::ir::condcodes::{FloatCC, IntCC};
use cranelift_codegen::ir::types::{I32, I128};
use cranelift_codegen::ir::{InstBuilder, Opcode, Value};

use super::Translator;
use crate::Trap;

impl Translator<'_> {
    pub(super) fn i32_value(&mut self, value: i32) {
        let value = self.i32_const(value.cast_unsigned());
        self.push(value);
    }

    pub(super) fn i64_value(&mut self, value: i64) {
        let value = self.builder.ins().iconst(cranelift_codegen::ir::types::I64, value);
        self.push(value);
    }

    pub(super) fn f32_value(&mut self, value: wasmparser::Ieee32) {
        let value = cranelift_codegen::ir::immediates::Ieee32::with_bits(value.bits());
        let value = self.builder.ins().f32const(value);
        self.push(value);
    }

    pub(super) fn f64_value(&mut self, value: wasmparser::Ieee64) {
        let value = cranelift_codegen::ir::immediates::Ieee64::with_bits(value.bits());
        let value = self.builder.ins().f64const(value);
        self.push(value);
    }

    /// An operator that is one instruction from a type to the same type.
    pub(super) fn unary(&mut self, opcode: Opcode) {
        let operand = self.pop();
        let ty = self.type_of(operand);
        let (inst, dfg) = self.builder.ins().Unary(opcode, ty, operand);
        let value = dfg.first_result(inst);
        self.push(value);
    }

    /// An operator that is one instruction on two operands of one type. Shifts and rotations take
    /// the amount modulo the width, as Wasm does; float minimum and maximum propagate NaN.
    pub(super) fn binary(&mut self, opcode: Opcode) {
        let (x, y) = self.pop2();
        let value = self.emit_binary(opcode, x, y);
        self.push(value);
    }

    pub(super) fn emit_binary(&mut self, opcode: Opcode, x: Value, y: Value) -> Value {
        let ty = self.type_of(x);
        let (inst, dfg) = self.builder.ins().Binary(opcode, ty, x, y);
        dfg.first_result(inst)
    }

    /// An operator on two 128-bit operands, each a low and a high half.
    pub(super) fn binary_wide(&mut self, opcode: Opcode) {
        let (high_y, y) = (self.pop(), self.pop());
        let (high_x, x) = (self.pop(), self.pop());
        let x = self.builder.ins().iconcat(x, high_x);
        let y = self.builder.ins().iconcat(y, high_y);
        let value = self.emit_binary(opcode, x, y);
        self.push_wide(value);
    }

    /// The whole product of two 64-bit operands.
    pub(super) fn multiply_wide(&mut self, extension: Opcode) {
        let (x, y) = self.pop2();
        let [x, y] = [x, y].map(|half| {
            let (inst, dfg) = self.builder.ins().Unary(extension, I128, half);
            dfg.first_result(inst)
        });
        let value = self.builder.ins().imul(x, y);
        self.push_wide(value);
    }

    fn push_wide(&mut self, value: Value) {
        let (low, high) = self.builder.ins().isplit(value);
        self.push(low);
        self.push(high);
    }

    pub(super) fn eqz(&mut self) {
        let operand = self.pop();
        let result = self.is_zero(operand);
        self.push_bool(result);
    }

    pub(super) fn compare(&mut self, condition: IntCC) {
        let (x, y) = self.pop2();
        let result = self.builder.ins().icmp(condition, x, y);
        self.push_bool(result);
    }

    pub(super) fn float_compare(&mut self, condition: FloatCC) {
        let (x, y) = self.pop2();
        let result = self.builder.ins().fcmp(condition, x, y);
        self.push_bool(result);
    }

    /// Pushes the one-bit result of a comparison as an `i32`.
    pub(super) fn push_bool(&mut self, result: Value) {
        let result = self.builder.ins().uextend(I32, result);
        self.push(result);
    }

    /// Unsigned division and both remainders: only a zero divisor traps.
    pub(super) fn divide(&mut self, opcode: Opcode) {
        let (x, y) = self.pop2();
        if self.constant(y).is_none_or(|divisor| divisor == 0) {
            let by_zero = self.is_zero(y);
            self.trap_if(by_zero, Trap::IntegerDivisionByZero);
        }
        let value = self.emit_binary(opcode, x, y);
        self.push(value);
    }

    /// Signed division: it also traps where the quotient has no representation.
    pub(super) fn divide_signed(&mut self) {
        let (x, y) = self.pop2();
        if self.constant(y).is_none_or(|divisor| matches!(divisor, 0 | -1)) {
            self.check_signed_division(x, y);
        }
        let value = self.emit_binary(Opcode::Sdiv, x, y);
        self.push(value);
    }

    /// One comparison finds the divisors 0 and -1; a cold block decides what they mean.
    fn check_signed_division(&mut self, x: Value, y: Value) {
        let special = self.builder.create_block();
        let trapping = self.builder.create_block();
        let fine = self.next_block();
        self.set_cold(special);
        self.set_cold(trapping);
        let next = self.builder.ins().iadd_imm_s(y, 1);
        let is_special = self.builder.ins().icmp_imm_u(IntCC::UnsignedLessThan, next, 2);
        self.builder.ins().brif(is_special, special, &[], fine, &[]);
        self.builder.seal_block(special);

        self.builder.switch_to_block(special);
        let not_zero = self.builder.ins().icmp_imm_u(IntCC::NotEqual, y, 0);
        let bits = self.type_of(x).bits();
        let smallest = i64::MIN >> (64 - bits);
        let not_smallest = self.builder.ins().icmp_imm_s(IntCC::NotEqual, x, smallest);
        let harmless = self.builder.ins().band(not_zero, not_smallest);
        self.builder.ins().brif(harmless, fine, &[], trapping, &[]);
        self.builder.seal_block(trapping);
        self.builder.seal_block(fine);

        self.builder.switch_to_block(trapping);
        let division_by_zero = self.trap_code(Trap::IntegerDivisionByZero);
        let overflow = self.trap_code(Trap::IntegerOverflow);
        let code = self.builder.ins().select(not_zero, overflow, division_by_zero);
        self.raise(code);
        self.builder.switch_to_block(fine);
    }
}
