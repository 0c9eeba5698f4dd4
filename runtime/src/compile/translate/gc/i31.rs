//! Integers in references, and conversions between the hierarchies of `any` and `extern`, which have
//! the same bits.

use cranelift_codegen::ir::InstBuilder;

use super::Extension;
use crate::Trap;
use crate::abi::object::I31_TAG;
use crate::compile::translate::Translator;

impl Translator<'_> {
    /// An i31 needs no stack map: no collection changes it.
    pub(in crate::compile::translate) fn ref_i31(&mut self) {
        let value = self.pop();
        let shifted = self.builder.ins().ishl_imm_u(value, 1);
        let reference = self.builder.ins().bor_imm_u(shifted, i64::from(I31_TAG));
        self.push(reference);
    }

    pub(in crate::compile::translate) fn i31_get(&mut self, extension: Extension) {
        let reference = self.pop();
        let is_null = self.is_zero(reference);
        self.trap_if(is_null, Trap::NullReference);
        let value = match extension {
            Extension::Signed => self.builder.ins().sshr_imm_u(reference, 1),
            _ => self.builder.ins().ushr_imm_u(reference, 1),
        };
        self.push(value);
    }

    /// `any.convert_extern` and `extern.convert_any`: the reference is the same.
    pub(in crate::compile::translate) fn convert_reference(&mut self) {
        debug_assert!(!self.stack.is_empty(), "validated: the reference is on the stack");
    }
}
