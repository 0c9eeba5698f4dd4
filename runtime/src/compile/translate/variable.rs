//! Locals, globals, and the operators that only move operands.

use cranelift_codegen::ir::{
    InstBuilder, MemFlagsData, StackSlot, StackSlotData, StackSlotKind, Type, Value,
};
use cranelift_frontend::Variable;

use super::Translator;
use crate::compile::signature::POINTER;
use crate::wasm::convert;
use crate::wasm::index::{GlobalIndex, TypeIndex};
use crate::wasm::types::ValType;

/// Where a local lives.
#[derive(Clone, Copy)]
pub(super) enum Local {
    /// In SSA values.
    Value(Variable),
    /// In the frame: where there are too many blocks for each to pass on so many locals.
    Slot(StackSlot, Type),
}

impl Translator<'_> {
    /// Declares the next local, which begins as `value`. Only values are in stack maps, so
    /// references always live there.
    pub(super) fn declare_local(&mut self, ty: ValType<TypeIndex>, value: Value) {
        let (clif_type, is_reference) = (self.clif_type(ty), self.env.info.is_gc_ref(ty));
        let local = if self.plan.locals_in_frame && !is_reference {
            let size = clif_type.bytes();
            let align = size.ilog2().try_into().expect("values have at most 16 bytes");
            let slot = StackSlotData::new(StackSlotKind::ExplicitSlot, size, align);
            Local::Slot(self.builder.create_sized_stack_slot(slot), clif_type)
        } else {
            let variable = self.builder.declare_var(clif_type);
            if is_reference {
                self.builder.declare_var_needs_stack_map(variable);
                self.reference_locals += 1;
                self.references += 1;
            }
            Local::Value(variable)
        };
        self.locals.push(local);
        self.assign(local, value);
    }

    fn assign(&mut self, local: Local, value: Value) {
        match local {
            Local::Value(variable) => self.builder.def_var(variable, value),
            Local::Slot(slot, _) => {
                self.builder.ins().stack_store(POINTER, value, slot, 0);
            }
        }
    }

    pub(super) fn local_get(&mut self, local: u32) {
        let value = match self.locals[local as usize] {
            Local::Value(variable) => self.builder.use_var(variable),
            Local::Slot(slot, ty) => self.builder.ins().stack_load(POINTER, ty, slot, 0),
        };
        self.push(value);
    }

    pub(super) fn local_set(&mut self, local: u32) {
        let value = self.pop();
        self.assign(self.locals[local as usize], value);
    }

    pub(super) fn local_tee(&mut self, local: u32) {
        let value = self.pop();
        self.assign(self.locals[local as usize], value);
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
        let ty = self.env.info.globals[global.index()].content;
        if self.definition_needs_barrier(ty, value) {
            self.global_written(base, offset);
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
