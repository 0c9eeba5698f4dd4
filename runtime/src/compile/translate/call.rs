//! Calls, tail calls, and the checks of indirect calls.

use anyhow::bail;
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::types::I32;
use cranelift_codegen::ir::{FuncRef, InstBuilder, SigRef, TrapCode, Value};

use super::Translator;
use crate::abi::layout::{func_import, func_ref, type_id, vmctx};
use crate::compile::artifact::RelocTarget;
use crate::compile::signature;
use crate::wasm::index::{FuncIndex, TableIndex, TypeIndex};
use crate::{Result, Trap};

/// What happens to the caller's frame.
#[derive(Clone, Copy)]
pub(super) enum CallKind {
    /// It stays, and gets the results.
    Nested,
    /// The callee takes its place.
    Tail,
}

/// A function in machine terms.
pub(super) enum Callee {
    Direct(FuncRef),
    Indirect(SigRef, Value),
}

impl Translator<'_> {
    pub(super) fn call(&mut self, kind: CallKind, function_index: u32) {
        let func = FuncIndex(function_index);
        let ty = self.env.info.functions[func.index()];
        let (callee, ctx) = match self.env.info.defined_func(func) {
            Some(defined) => {
                let env = self.env;
                let target = RelocTarget::Function(defined);
                let callee = self.callee(target, || signature::wasm(&env.signature(defined)));
                (Callee::Direct(callee), self.vmctx)
            }
            None => {
                self.record_caller();
                let import = self.env.layout.func_import(func);
                let code = self.load_constant(self.vmctx, import + func_import::CODE);
                let ctx = self.load_constant(self.vmctx, import + func_import::CTX);
                (Callee::Indirect(self.signature(ty), code), ctx)
            }
        };
        self.emit_call(kind, callee, ctx, ty);
    }

    pub(super) fn call_indirect(
        &mut self,
        kind: CallKind,
        type_index: u32,
        table_index: u32,
        offset: u64,
    ) -> Result<()> {
        let ty = TypeIndex(type_index);
        if !self.env.info.types[ty.index()].is_final {
            bail!(
                "call_indirect of a type with subtypes is not supported yet: gc \
                 (at offset {offset:#x})"
            );
        }
        let index = self.pop();
        let record = self.table_element(TableIndex(table_index), index);
        self.check_signature(record, ty);
        self.record_caller();
        // A record never changes, but its loads must stay behind the check for null.
        let flags = self.context_flags().with_readonly();
        let code = self.builder.ins().load(signature::POINTER, flags, record, func_ref::CODE);
        let ctx = self.builder.ins().load(signature::POINTER, flags, record, func_ref::CTX);
        let callee = Callee::Indirect(self.signature(ty), code);
        self.emit_call(kind, callee, ctx, ty);
        Ok(())
    }

    /// Traps unless `record` is a function of the final type `ty`. The load of a null record's
    /// type faults.
    fn check_signature(&mut self, record: Value, ty: TypeIndex) {
        let null = TrapCode::unwrap_user(Trap::IndirectCallToNull.code());
        let faulting = self.context_flags().with_trap_code(Some(null));
        let actual = self.builder.ins().load(I32, faulting, record, func_ref::TYPE_ID);
        let ids = self.load_constant(self.vmctx, vmctx::TYPE_IDS);
        let flags = self.constant_flags();
        let expected = self.builder.ins().load(I32, flags, ids, type_id(ty));
        let differs = self.builder.ins().icmp(IntCC::NotEqual, actual, expected);
        self.trap_if(differs, Trap::BadSignature);
    }

    /// Calls with the arguments on the stack; leaves the results there, or leaves the function.
    fn emit_call(&mut self, kind: CallKind, callee: Callee, ctx: Value, ty: TypeIndex) {
        let ty = self.env.info.func_type_at(ty);
        let mut args = vec![ctx];
        args.extend(self.pop_many(ty.params.len()));
        let results = match (kind, callee) {
            (CallKind::Nested, callee) => self.call_in_scope(callee, &args),
            (CallKind::Tail, Callee::Direct(func)) => {
                self.builder.ins().return_call(func, &args);
                self.reachable = false;
                return;
            }
            (CallKind::Tail, Callee::Indirect(signature, code)) => {
                self.builder.ins().return_call_indirect(signature, code, &args);
                self.reachable = false;
                return;
            }
        };
        for (ty, value) in ty.results.iter().zip(results) {
            self.push_typed(*ty, value);
        }
    }
}
