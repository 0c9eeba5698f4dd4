//! References as values: null, and the references of functions.

use cranelift_codegen::ir::InstBuilder;
use cranelift_codegen::ir::types::I32;

use super::{Translator, zero};
use crate::Trap;
use crate::compile::signature::POINTER;
use crate::wasm::convert;
use crate::wasm::index::FuncIndex;
use crate::wasm::types::{RefType, ValType};

impl Translator<'_> {
    /// A null needs no stack map: no collection changes it.
    pub(super) fn ref_null(&mut self, ty: wasmparser::HeapType) {
        let ty = ValType::Ref(RefType { nullable: true, heap: convert::heap_type(ty) });
        let ty = self.clif_type(ty);
        let null = zero(&mut self.builder, ty);
        self.push(null);
    }

    pub(super) fn ref_is_null(&mut self) {
        let value = self.pop();
        let is_null = self.is_zero(value);
        let result = self.builder.ins().uextend(I32, is_null);
        self.push(result);
    }

    pub(super) fn ref_as_non_null(&mut self) {
        let value = self.pop();
        let is_null = self.is_zero(value);
        self.trap_if(is_null, Trap::NullReference);
        self.push(value);
    }

    pub(super) fn ref_func(&mut self, func: u32) {
        let slot = self.env.info.func_refs[FuncIndex(func).index()]
            .expect("validated: the operand of `ref.func` is declared, so it has a record");
        let offset = self.env.layout.func_ref(slot);
        let record = self.builder.ins().iadd_imm_s(self.vmctx, i64::from(offset));
        debug_assert_eq!(self.type_of(record), POINTER);
        self.known_functions.insert(record, FuncIndex(func));
        self.push(record);
    }
}
