//! Conversions between vectors of integers and of floats. Conversions between integers are single
//! instructions: they stand in the index.

use cranelift_codegen::ir::types::{F32X4, F64X2, I32X4, I64X2};
use cranelift_codegen::ir::{InstBuilder, Opcode, Value};

use super::Half;
use crate::compile::translate::Translator;
use crate::compile::translate::convert::{Sign, saturating};

impl Translator<'_> {
    /// Truncates four floats, saturating.
    pub(super) fn truncate_lanes(&mut self, sign: Sign) {
        let operand = self.pop_as(F32X4);
        let value = self.emit_convert(saturating(sign), I32X4, operand);
        self.push(value);
    }

    /// Truncates two floats, saturating, to the low lanes of four integers.
    pub(super) fn truncate_lanes_zero(&mut self, sign: Sign) {
        let operand = self.pop_as(F64X2);
        let wide = self.emit_convert(saturating(sign), I64X2, operand);
        let narrow = match sign {
            Sign::Signed => Opcode::Snarrow,
            Sign::Unsigned => Opcode::Uunarrow,
        };
        let value = self.narrow_with_zero(narrow, wide);
        self.push(value);
    }

    /// Narrows two lanes to the low ones of four, the others being zero. Cranelift has code for
    /// this combination, not for narrowing `I64X2` in general.
    pub(super) fn narrow_with_zero(&mut self, narrow: Opcode, wide: Value) -> Value {
        let zero = self.vector_const(I64X2, [0; 16]);
        self.emit_binary(narrow, wide, zero)
    }

    /// Converts four integers to floats.
    pub(super) fn convert_lanes(&mut self, sign: Sign) {
        let operand = self.pop_as(I32X4);
        let value = self.emit_convert(from_integer(sign), F32X4, operand);
        self.push(value);
    }

    /// Converts the two low ones of four integers to floats.
    pub(super) fn convert_low_lanes(&mut self, sign: Sign) {
        let operand = self.pop_as(I32X4);
        let wide = self.widen_lanes(Half::Low, sign, operand);
        let value = self.emit_convert(from_integer(sign), F64X2, wide);
        self.push(value);
    }

    pub(super) fn demote_lanes_zero(&mut self) {
        let operand = self.pop_as(F64X2);
        let value = self.builder.ins().fvdemote(operand);
        self.push(value);
    }

    pub(super) fn promote_low_lanes(&mut self) {
        let operand = self.pop_as(F32X4);
        let value = self.builder.ins().fvpromote_low(operand);
        self.push(value);
    }
}

fn from_integer(sign: Sign) -> Opcode {
    match sign {
        Sign::Signed => Opcode::FcvtFromSint,
        Sign::Unsigned => Opcode::FcvtFromUint,
    }
}
