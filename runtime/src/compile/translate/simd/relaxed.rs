//! Relaxed operators: each is the processor's own instruction where Cranelift has it, or else, and
//! in deterministic engines always, the operation that the specification's deterministic profile
//! names.

use cranelift_codegen::ir::types::{F32X4, F64X2, I8X16, I16X8, I32X4, I64X2};
use cranelift_codegen::ir::{InstBuilder, Opcode, Type, Value};
use cranelift_codegen::isa::TargetIsa;

use super::Half;
use crate::compile::translate::Translator;
use crate::compile::translate::convert::Sign;

impl Translator<'_> {
    /// Whether results may be the processor's own, and `has` says that it has the instruction.
    fn native_if(&self, has: impl FnOnce(&dyn TargetIsa) -> bool) -> bool {
        !self.env.tunables.relaxed_simd_deterministic && has(self.env.isa)
    }

    /// An index of 16 or more gives zero or, on x86 below 128, wraps.
    pub(super) fn relaxed_swizzle(&mut self) {
        let (x, lanes) = self.pop2_as(I8X16);
        let value = if self.native_if(|isa| isa.has_x86_pshufb_lowering()) {
            self.builder.ins().x86_pshufb(x, lanes)
        } else {
            self.builder.ins().swizzle(x, lanes)
        };
        self.push(value);
    }

    /// What has no integer saturates or, on x86, gives the least one.
    pub(super) fn relaxed_truncate(&mut self) {
        if !self.native_if(is_x86) {
            return self.truncate_lanes(Sign::Signed);
        }
        let operand = self.pop_as(F32X4);
        let value = self.builder.ins().x86_cvtt2dq(I32X4, operand);
        self.push(value);
    }

    /// As `relaxed_truncate`, for two floats.
    pub(super) fn relaxed_truncate_zero(&mut self) {
        if !self.native_if(is_x86) {
            return self.truncate_lanes_zero(Sign::Signed);
        }
        let operand = self.pop_as(F64X2);
        let wide = self.builder.ins().x86_cvtt2dq(I64X2, operand);
        let value = self.narrow_with_zero(Opcode::Snarrow, wide);
        self.push(value);
    }

    /// Rounds once or, where fusing is not native, twice.
    pub(super) fn relaxed_multiply_add(&mut self, shape: Type) {
        let (x, y, z) = self.pop3_as(shape);
        self.multiply_add(x, y, z);
    }

    pub(super) fn relaxed_negative_multiply_add(&mut self, shape: Type) {
        let (x, y, z) = self.pop3_as(shape);
        let x = self.builder.ins().fneg(x);
        self.multiply_add(x, y, z);
    }

    fn multiply_add(&mut self, x: Value, y: Value, z: Value) {
        let value = if self.native_if(|isa| !isa.has_native_fma()) {
            let product = self.builder.ins().fmul(x, y);
            self.builder.ins().fadd(product, z)
        } else {
            self.builder.ins().fma(x, y, z)
        };
        self.push(value);
    }

    /// A mask lane that is neither all ones nor all zeros selects bits or, on x86, by its top bit.
    pub(super) fn relaxed_lane_select(&mut self, shape: Type) {
        if !self.native_if(|isa| isa.has_blendv_lowering(shape)) {
            return self.bitselect();
        }
        let (x, y, mask) = self.pop3_as(shape);
        let value = self.builder.ins().blendv(mask, x, y);
        self.push(value);
    }

    /// Of a NaN and a number, or of two zeros, x86 takes the second operand.
    pub(super) fn relaxed_min(&mut self, shape: Type) {
        if !self.native_if(is_x86) {
            return self.vector_binary(shape, Opcode::Fmin);
        }
        let (x, y) = self.pop2_as(shape);
        let value = self.lesser(x, y);
        self.push(value);
    }

    /// As `relaxed_min`.
    pub(super) fn relaxed_max(&mut self, shape: Type) {
        if !self.native_if(is_x86) {
            return self.vector_binary(shape, Opcode::Fmax);
        }
        let (x, y) = self.pop2_as(shape);
        let value = self.greater(x, y);
        self.push(value);
    }

    /// The one product that overflows saturates or, on x86, wraps.
    pub(super) fn relaxed_q15_multiply(&mut self) {
        let (x, y) = self.pop2_as(I16X8);
        let value = if self.native_if(|isa| isa.has_x86_pmulhrsw_lowering()) {
            self.builder.ins().x86_pmulhrsw(x, y)
        } else {
            self.builder.ins().sqmul_round_sat(x, y)
        };
        self.push(value);
    }

    pub(super) fn relaxed_dot(&mut self) {
        let (x, y) = self.pop2_as(I8X16);
        let value = self.byte_dot_product(x, y);
        self.push(value);
    }

    pub(super) fn relaxed_dot_add(&mut self) {
        let sum = self.pop_as(I32X4);
        let (x, y) = self.pop2_as(I8X16);
        let fours = if self.native_if(has_vnni) {
            self.wide_dot_product(x, y)
        } else {
            let pairs = self.byte_dot_product(x, y);
            self.add_neighbours(Sign::Signed, pairs)
        };
        let value = self.builder.ins().iadd(fours, sum);
        self.push(value);
    }

    /// Bytes of `y` that do not fit in 7 bits are signed and sums of two wrap or, on x86, they are
    /// unsigned and sums of two saturate.
    fn byte_dot_product(&mut self, x: Value, y: Value) -> Value {
        if self.native_if(|isa| isa.has_x86_pmaddubsw_lowering()) {
            self.builder.ins().x86_pmaddubsw(x, y)
        } else {
            self.dot_product(x, y)
        }
    }

    /// Sums of four products, none of which overflows; bytes of `y` are unsigned. With the addition
    /// that follows this is what VNNI does in one instruction, in the form that Cranelift knows.
    fn wide_dot_product(&mut self, x: Value, y: Value) -> Value {
        let [low, high] = [Half::Low, Half::High].map(|half| {
            let x = self.widen_lanes(half, Sign::Signed, x);
            let y = self.widen_lanes(half, Sign::Unsigned, y);
            let products = self.builder.ins().imul(x, y);
            self.add_neighbours(Sign::Signed, products)
        });
        self.builder.ins().iadd_pairwise(low, high)
    }
}

fn is_x86(isa: &dyn TargetIsa) -> bool {
    isa.name() == "x64"
}

/// Whether the processor, and Cranelift for it, multiplies bytes and adds fours of them at once.
fn has_vnni(isa: &dyn TargetIsa) -> bool {
    let flags = isa.isa_flags();
    let has = |name| flags.iter().any(|flag| flag.name == name && flag.as_bool() == Some(true));
    has("has_avx") && has("has_avx_vnni") || has("has_avx512vl") && has("has_avx512vnni")
}
