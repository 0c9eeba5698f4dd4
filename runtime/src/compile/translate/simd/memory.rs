//! Vector accesses to linear memories other than whole vectors, which are loaded and stored like
//! any value.

use cranelift_codegen::ir::{InstBuilder, Opcode, Type};
use wasmparser::MemArg;

use crate::compile::signature::POINTER;
use crate::compile::translate::Translator;

impl Translator<'_> {
    /// Loads eight bytes and widens their lanes.
    pub(super) fn load_extend(&mut self, opcode: Opcode, memarg: &MemArg) {
        // What varies about these instructions is the type of the address.
        let value = self.emit_load(opcode, POINTER, memarg);
        self.push(value);
    }

    /// Loads one lane to all lanes.
    pub(super) fn load_splat(&mut self, shape: Type, memarg: &MemArg) {
        let lane = self.emit_load(Opcode::Load, shape.lane_type(), memarg);
        let value = self.builder.ins().splat(shape, lane);
        self.push(value);
    }

    /// Loads lane 0; the others are zero.
    pub(super) fn load_zero(&mut self, shape: Type, memarg: &MemArg) {
        let lane = self.emit_load(Opcode::Load, shape.lane_type(), memarg);
        let value = self.builder.ins().scalar_to_vector(shape, lane);
        self.push(value);
    }

    /// Loads one lane of a vector that has the others already.
    pub(super) fn load_lane(&mut self, shape: Type, lane: u8, memarg: &MemArg) {
        let vector = self.pop_as(shape);
        let new = self.emit_load(Opcode::Load, shape.lane_type(), memarg);
        let value = self.builder.ins().insertlane(vector, new, lane);
        self.push(value);
    }

    pub(super) fn store_lane(&mut self, shape: Type, lane: u8, memarg: &MemArg) {
        let vector = self.pop_as(shape);
        let value = self.builder.ins().extractlane(vector, lane);
        self.emit_store(Opcode::Store, value, memarg);
    }
}
