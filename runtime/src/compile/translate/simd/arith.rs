//! Arithmetic, comparisons and tests on the lanes of vectors, and operations on all their bits.

use cranelift_codegen::ir::condcodes::{FloatCC, IntCC};
use cranelift_codegen::ir::types::{I8X16, I16X8, I32};
use cranelift_codegen::ir::{InstBuilder, Opcode, Type, Value};

use super::Half;
use crate::compile::translate::Translator;
use crate::compile::translate::convert::Sign;

impl Translator<'_> {
    /// An operator that is one instruction on a vector. The result may have other lanes.
    pub(super) fn vector_unary(&mut self, shape: Type, opcode: Opcode) {
        let operand = self.pop_as(shape);
        let value = self.emit_convert(opcode, shape, operand);
        self.push(value);
    }

    /// An operator that is one instruction on two vectors. The result may have other lanes.
    pub(super) fn vector_binary(&mut self, shape: Type, opcode: Opcode) {
        let (x, y) = self.pop2_as(shape);
        let value = self.emit_binary(opcode, x, y);
        self.push(value);
    }

    /// Shifts every lane by an `i32`, modulo the lanes' width.
    pub(super) fn vector_shift(&mut self, shape: Type, opcode: Opcode) {
        let amount = self.pop();
        let operand = self.pop_as(shape);
        let value = self.emit_binary(opcode, operand, amount);
        self.push(value);
    }

    /// Makes a lane all ones where the comparison holds, all zeros elsewhere.
    pub(super) fn vector_compare(&mut self, shape: Type, condition: IntCC) {
        let (x, y) = self.pop2_as(shape);
        let value = self.builder.ins().icmp(condition, x, y);
        self.push(value);
    }

    /// As `vector_compare`, on floats.
    pub(super) fn vector_float_compare(&mut self, shape: Type, condition: FloatCC) {
        let (x, y) = self.pop2_as(shape);
        let value = self.builder.ins().fcmp(condition, x, y);
        self.push(value);
    }

    /// The second operand where it is less, the first one elsewhere.
    pub(super) fn pseudo_min(&mut self, shape: Type) {
        let (x, y) = self.pop2_as(shape);
        let value = self.lesser(y, x);
        self.push(value);
    }

    /// The second operand where the first one is less, the first one elsewhere.
    pub(super) fn pseudo_max(&mut self, shape: Type) {
        let (x, y) = self.pop2_as(shape);
        let value = self.greater(y, x);
        self.push(value);
    }

    /// `x` where it is less than `y`, otherwise `y`: one instruction on x86.
    pub(super) fn lesser(&mut self, x: Value, y: Value) -> Value {
        let less = self.builder.ins().fcmp(FloatCC::LessThan, x, y);
        self.choose(less, x, y)
    }

    /// `x` where `y` is less than it, otherwise `y`: one instruction on x86.
    pub(super) fn greater(&mut self, x: Value, y: Value) -> Value {
        let less = self.builder.ins().fcmp(FloatCC::LessThan, y, x);
        self.choose(less, x, y)
    }

    /// The bits of `x` where `mask` is one, of `y` where it is zero; all of `x`'s shape.
    fn choose(&mut self, mask: Value, x: Value, y: Value) -> Value {
        let mask = self.reshape(self.type_of(x), mask);
        self.builder.ins().bitselect(mask, x, y)
    }

    pub(super) fn and_not(&mut self) {
        let (x, y) = self.pop2_as(I8X16);
        let not = self.builder.ins().bnot(y);
        let value = self.builder.ins().band(x, not);
        self.push(value);
    }

    /// Selects in the shape of the mask: Cranelift blends where it knows whole lanes to be equal.
    pub(super) fn bitselect(&mut self) {
        let mask = self.pop();
        let mask = self.native(mask);
        let (x, y) = self.pop2_as(self.type_of(mask));
        let value = self.builder.ins().bitselect(mask, x, y);
        self.push(value);
    }

    /// Whether any bit is set, whatever the lanes.
    pub(super) fn any_true(&mut self) {
        let operand = self.pop();
        let operand = self.native(operand);
        let operand = if self.type_of(operand).lane_type().is_int() {
            operand
        } else {
            self.reshape(I8X16, operand)
        };
        let value = self.builder.ins().vany_true(operand);
        self.push_bool(value);
    }

    pub(super) fn all_true(&mut self, shape: Type) {
        let operand = self.pop_as(shape);
        let value = self.builder.ins().vall_true(operand);
        self.push_bool(value);
    }

    pub(super) fn bitmask(&mut self, shape: Type) {
        let operand = self.pop_as(shape);
        let value = self.builder.ins().vhigh_bits(I32, operand);
        self.push(value);
    }

    /// Multiplies the lanes of one half, without loss.
    pub(super) fn extended_multiply(&mut self, shape: Type, half: Half, sign: Sign) {
        let (x, y) = self.pop2_as(shape);
        let (x, y) = (self.widen_lanes(half, sign, x), self.widen_lanes(half, sign, y));
        let value = self.builder.ins().imul(x, y);
        self.push(value);
    }

    /// Adds neighbouring lanes, without loss.
    pub(super) fn extended_add_pairwise(&mut self, shape: Type, sign: Sign) {
        let operand = self.pop_as(shape);
        let value = self.add_neighbours(sign, operand);
        self.push(value);
    }

    pub(super) fn add_neighbours(&mut self, sign: Sign, operand: Value) -> Value {
        let low = self.widen_lanes(Half::Low, sign, operand);
        let high = self.widen_lanes(Half::High, sign, operand);
        self.builder.ins().iadd_pairwise(low, high)
    }

    /// The dot product of pairs of 16-bit lanes.
    pub(super) fn dot(&mut self) {
        let (x, y) = self.pop2_as(I16X8);
        let value = self.dot_product(x, y);
        self.push(value);
    }

    /// Products of signed lanes; neighbouring ones are added, modulo the width.
    pub(super) fn dot_product(&mut self, x: Value, y: Value) -> Value {
        let [low, high] = [Half::Low, Half::High].map(|half| {
            let x = self.widen_lanes(half, Sign::Signed, x);
            let y = self.widen_lanes(half, Sign::Signed, y);
            self.builder.ins().imul(x, y)
        });
        self.builder.ins().iadd_pairwise(low, high)
    }

    pub(super) fn widen_lanes(&mut self, half: Half, sign: Sign, operand: Value) -> Value {
        let opcode = match (half, sign) {
            (Half::Low, Sign::Signed) => Opcode::SwidenLow,
            (Half::Low, Sign::Unsigned) => Opcode::UwidenLow,
            (Half::High, Sign::Signed) => Opcode::SwidenHigh,
            (Half::High, Sign::Unsigned) => Opcode::UwidenHigh,
        };
        self.emit_convert(opcode, self.type_of(operand), operand)
    }
}
