//! Conversions between number types, with the traps of float-to-integer truncation.

use cranelift_codegen::ir::condcodes::FloatCC;
use cranelift_codegen::ir::immediates::{Ieee32, Ieee64};
use cranelift_codegen::ir::types::F32;
use cranelift_codegen::ir::{InstBuilder, MemFlagsData, Opcode, Type, Value};

use super::Translator;
use crate::Trap;

/// How the bits of an integer are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sign {
    Signed,
    Unsigned,
}

impl Translator<'_> {
    /// A conversion that is one instruction.
    pub(super) fn convert(&mut self, opcode: Opcode, to: Type) {
        let operand = self.pop();
        let value = self.emit_convert(opcode, to, operand);
        self.push(value);
    }

    pub(super) fn emit_convert(&mut self, opcode: Opcode, to: Type, operand: Value) -> Value {
        let (inst, dfg) = self.builder.ins().Unary(opcode, to, operand);
        dfg.first_result(inst)
    }

    /// Sign-extends the low bits of an integer to its own width.
    pub(super) fn extend_low(&mut self, low: Type) {
        let operand = self.pop();
        let ty = self.type_of(operand);
        let low = self.builder.ins().ireduce(low, operand);
        let value = self.builder.ins().sextend(ty, low);
        self.push(value);
    }

    pub(super) fn reinterpret(&mut self, to: Type) {
        let operand = self.pop();
        let value = self.builder.ins().bitcast(to, MemFlagsData::new(), operand);
        self.push(value);
    }

    pub(super) fn truncate_saturating(&mut self, sign: Sign, to: Type) {
        let operand = self.pop();
        let value = self.emit_convert(saturating(sign), to, operand);
        self.push(value);
    }

    /// Truncation that traps. In range it agrees with the saturating form, which needs no traps of
    /// its own.
    pub(super) fn truncate(&mut self, sign: Sign, to: Type) {
        let operand = self.pop();
        self.check_range(sign, to, operand);
        let value = self.emit_convert(saturating(sign), to, operand);
        self.push(value);
    }

    /// Traps unless truncating `operand` gives an integer of type `to`. Both comparisons are false
    /// for a NaN.
    fn check_range(&mut self, sign: Sign, to: Type, operand: Value) {
        let from = self.type_of(operand);
        let range = Range::new(from, sign, to.bits());
        let lowest = self.float(from, range.lowest);
        let bound = self.float(from, range.bound);
        let above = self.builder.ins().fcmp(range.lowest_cc, operand, lowest);
        let below = self.builder.ins().fcmp(FloatCC::LessThan, operand, bound);
        let fits = self.builder.ins().band(above, below);
        let trapping = self.builder.create_block();
        let fine = self.builder.create_block();
        self.set_cold(trapping);
        self.builder.ins().brif(fits, fine, &[], trapping, &[]);
        self.builder.seal_block(trapping);
        self.builder.seal_block(fine);

        self.builder.switch_to_block(trapping);
        let is_nan = self.builder.ins().fcmp(FloatCC::Unordered, operand, operand);
        let nan = self.trap_code(Trap::BadConversionToInteger);
        let overflow = self.trap_code(Trap::IntegerOverflow);
        let code = self.builder.ins().select(is_nan, nan, overflow);
        self.raise(code);
        self.builder.switch_to_block(fine);
    }

    /// A constant of float type `ty` that `value` is exactly.
    fn float(&mut self, ty: Type, value: f64) -> Value {
        if ty == F32 {
            self.builder.ins().f32const(Ieee32::with_float(value as f32))
        } else {
            self.builder.ins().f64const(Ieee64::with_float(value))
        }
    }
}

pub(super) fn saturating(sign: Sign) -> Opcode {
    match sign {
        Sign::Signed => Opcode::FcvtToSintSat,
        Sign::Unsigned => Opcode::FcvtToUintSat,
    }
}

/// The floats that truncate to an integer of some type: `lowest_cc lowest` and below `bound`.
#[derive(Debug, PartialEq)]
struct Range {
    lowest_cc: FloatCC,
    lowest: f64,
    bound: f64,
}

impl Range {
    /// The integers have `bits` bits, and are truncated from floats of type `from`.
    ///
    /// What is above the integer `MIN - 1` truncates to `MIN` or more. Where the float type cannot
    /// represent `MIN - 1`, its next value at or above is `MIN` itself, a power of two.
    fn new(from: Type, sign: Sign, bits: u32) -> Range {
        let power = |exponent: u32| 2f64.powi(exponent.cast_signed());
        let (min, bound) = match sign {
            Sign::Signed => (-power(bits - 1), power(bits - 1)),
            Sign::Unsigned => (0.0, power(bits)),
        };
        let significand = if from == F32 { f32::MANTISSA_DIGITS } else { f64::MANTISSA_DIGITS };
        if sign == Sign::Unsigned || bits <= significand {
            Range { lowest_cc: FloatCC::GreaterThan, lowest: min - 1.0, bound }
        } else {
            Range { lowest_cc: FloatCC::GreaterThanOrEqual, lowest: min, bound }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use cranelift_codegen::ir::types::F64;

    fn contains(range: &Range, value: f64) -> bool {
        let above = match range.lowest_cc {
            FloatCC::GreaterThan => value > range.lowest,
            _ => value >= range.lowest,
        };
        above && value < range.bound
    }

    #[test]
    fn f64_ranges_are_exact() {
        let range = Range::new(F64, Sign::Signed, 32);
        assert!(contains(&range, -2147483648.9) && !contains(&range, -2147483649.0));
        assert!(contains(&range, 2147483647.9) && !contains(&range, 2147483648.0));
        let range = Range::new(F64, Sign::Unsigned, 32);
        assert!(contains(&range, -0.9) && !contains(&range, -1.0));
        assert!(contains(&range, 4294967295.9) && !contains(&range, 4294967296.0));
        let range = Range::new(F64, Sign::Signed, 64);
        assert!(contains(&range, -9223372036854775808.0));
        assert!(!contains(&range, -9223372036854777856.0));
        assert!(!contains(&range, 9223372036854775808.0));
        assert!(!contains(&range, f64::NAN));
    }

    #[test]
    fn f32_ranges_are_exact() {
        let range = Range::new(F32, Sign::Signed, 32);
        assert!(contains(&range, -2147483648.0) && !contains(&range, -2147483904.0));
        assert!(contains(&range, 2147483520.0) && !contains(&range, 2147483648.0));
        let range = Range::new(F32, Sign::Unsigned, 64);
        assert!(contains(&range, f64::from(-0.99999994f32)) && !contains(&range, -1.0));
        assert!(!contains(&range, 18446744073709551616.0));
    }
}
