//! Locals, globals, and the operators that only move operands.

use cranelift_codegen::ir::{InstBuilder, MemFlagsData, Value};

use super::Translator;
use crate::wasm::convert;
use crate::wasm::index::GlobalIndex;

impl Translator<'_> {
    pub(super) fn local_get(&mut self, local: u32) {
        let value = self.builder.use_var(self.locals[local as usize]);
        self.push(value);
    }

    pub(super) fn local_set(&mut self, local: u32) {
        let value = self.pop();
        self.builder.def_var(self.locals[local as usize], value);
    }

    pub(super) fn local_tee(&mut self, local: u32) {
        let value = self.pop();
        self.builder.def_var(self.locals[local as usize], value);
        self.push(value);
    }

    pub(super) fn global_get(&mut self, global: u32) {
        let global = GlobalIndex(global);
        let ty = self.env.info.globals[global.index()].content;
        let clif_type = self.clif_type(ty);
        let (flags, base, offset) = self.global(global);
        let value = self.builder.ins().load(clif_type, flags, base, offset);
        self.push_typed(ty, value);
    }

    pub(super) fn global_set(&mut self, global: u32) {
        let value = self.pop();
        let global = GlobalIndex(global);
        let (flags, base, offset) = self.global(global);
        self.builder.ins().store(flags, value, base, offset);
        if self.env.info.is_gc_ref(self.env.info.globals[global.index()].content) {
            let slot = self.builder.ins().iadd_imm_s(base, i64::from(offset));
            self.reference_written(None, slot, value);
        }
    }

    /// How and where a global is accessed. Even an immutable one changes while the function runs
    /// if it holds a reference that the collector moves.
    fn global(&mut self, global: GlobalIndex) -> (MemFlagsData, Value, i32) {
        let ty = self.env.info.globals[global.index()];
        let (base, offset) = self.definition(self.env.layout.global(global));
        let flags = MemFlagsData::trusted().with_alias_region(Some(self.regions.global));
        if ty.mutable || self.env.info.is_gc_ref(ty.content) {
            (flags, base, offset)
        } else {
            (flags.with_readonly().with_can_move(), base, offset)
        }
    }

    pub(super) fn drop_(&mut self) {
        self.pop();
    }

    pub(super) fn select(&mut self) {
        let (first, second, condition) = self.pop3();
        let value = self.builder.ins().select(condition, first, second);
        self.push(value);
    }

    pub(super) fn typed_select(&mut self, ty: wasmparser::ValType) {
        self.select();
        let value = self.pop();
        self.push_typed(convert::val_type(ty), value);
    }
}
