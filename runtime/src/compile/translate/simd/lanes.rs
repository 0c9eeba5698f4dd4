//! Operators that move lanes: constants, splats, single lanes, shuffles.

use cranelift_codegen::ir::types::{I8X16, I32};
use cranelift_codegen::ir::{InstBuilder, Type, Value};

use crate::compile::translate::Translator;
use crate::compile::translate::convert::Sign;

impl Translator<'_> {
    pub(super) fn v128_value(&mut self, value: wasmparser::V128) {
        let value = self.vector_const(I8X16, *value.bytes());
        self.push(value);
    }

    pub(super) fn splat(&mut self, shape: Type) {
        let lane = self.pop_lane(shape);
        let value = self.builder.ins().splat(shape, lane);
        self.push(value);
    }

    pub(super) fn extract_lane(&mut self, shape: Type, lane: u8) {
        let operand = self.pop_as(shape);
        let value = self.builder.ins().extractlane(operand, lane);
        self.push(value);
    }

    /// Extracts a lane of fewer than 32 bits as an `i32`.
    pub(super) fn extract_narrow_lane(&mut self, shape: Type, sign: Sign, lane: u8) {
        let operand = self.pop_as(shape);
        let value = self.builder.ins().extractlane(operand, lane);
        let value = match sign {
            Sign::Signed => self.builder.ins().sextend(I32, value),
            Sign::Unsigned => self.builder.ins().uextend(I32, value),
        };
        self.push(value);
    }

    pub(super) fn replace_lane(&mut self, shape: Type, lane: u8) {
        let new = self.pop_lane(shape);
        let operand = self.pop_as(shape);
        let value = self.builder.ins().insertlane(operand, new, lane);
        self.push(value);
    }

    /// Pops a number as a lane of `shape`. Narrow lanes come as `i32`s.
    fn pop_lane(&mut self, shape: Type) -> Value {
        let value = self.pop();
        let lane = shape.lane_type();
        if lane.bits() < 32 { self.builder.ins().ireduce(lane, value) } else { value }
    }

    pub(super) fn shuffle(&mut self, lanes: [u8; 16]) {
        let (x, y) = self.pop2_as(I8X16);
        let lanes = self.builder.func.dfg.immediates.push(lanes.to_vec().into());
        let value = self.builder.ins().shuffle(x, y, lanes);
        self.push(value);
    }

    pub(super) fn swizzle(&mut self) {
        let (x, lanes) = self.pop2_as(I8X16);
        let value = self.builder.ins().swizzle(x, lanes);
        self.push(value);
    }
}
