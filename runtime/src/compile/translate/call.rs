//! Calls, tail calls, and the checks of indirect calls.

use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::types::I32;
use cranelift_codegen::ir::{FuncRef, InstBuilder, SigRef, TrapCode, Value};

use super::Translator;
use crate::abi::layout::{func_import, func_ref};
use crate::compile::artifact::RelocTarget;
use crate::compile::signature::{self, POINTER};
use crate::wasm::index::{FuncIndex, TableIndex, TypeIndex};
use crate::wasm::types::HeapType;
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
    pub(super) fn call(&mut self, kind: CallKind, func: FuncIndex) -> Result<()> {
        let ty = self.env.info.functions[func.index()];
        let (callee, ctx) = match self.env.info.defined_func(func) {
            Some(defined) => {
                if let CallKind::Nested = kind
                    && self.inline(defined)?
                {
                    return Ok(());
                }
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
        Ok(())
    }

    pub(super) fn call_indirect(&mut self, kind: CallKind, type_index: u32, table_index: u32) {
        let ty = TypeIndex(type_index);
        let index = self.pop();
        let table = TableIndex(table_index);
        let record = self.table_element(table, index);
        let code = if self.holds_only(table, ty) {
            self.load_code(record, Trap::IndirectCallToNull)
        } else {
            self.check_signature(record, ty);
            // A record never changes, but its loads must stay behind the check for null.
            let flags = self.context_flags().with_readonly();
            self.builder.ins().load(POINTER, flags, record, func_ref::CODE)
        };
        self.call_record(kind, record, code, ty);
    }

    /// Whether the table's type says that its elements are functions of type `ty`, or null.
    fn holds_only(&self, table: TableIndex, ty: TypeIndex) -> bool {
        let info = self.env.info;
        match info.tables[table.index()].ty.element.heap {
            HeapType::NoFunc => true,
            HeapType::Concrete(element) => {
                element == ty || info.supertypes(element).any(|supertype| supertype == ty)
            }
            _ => false,
        }
    }

    pub(super) fn call_ref(&mut self, kind: CallKind, type_index: u32) -> Result<()> {
        let record = self.pop();
        if let Some(func) = self.known_functions.get(&record) {
            return self.call(kind, *func);
        }
        let code = self.load_code(record, Trap::NullReference);
        self.call_record(kind, record, code, TypeIndex(type_index));
        Ok(())
    }

    /// The code of the function with this record. The load faults with `null` if there is none.
    fn load_code(&mut self, record: Value, null: Trap) -> Value {
        let null = TrapCode::unwrap_user(null.code());
        let faulting = self.context_flags().with_trap_code(Some(null));
        self.builder.ins().load(POINTER, faulting, record, func_ref::CODE)
    }

    /// Calls the function with this record, which is not null, and this code.
    fn call_record(&mut self, kind: CallKind, record: Value, code: Value, ty: TypeIndex) {
        self.record_caller();
        let flags = self.context_flags().with_readonly();
        let ctx = self.builder.ins().load(POINTER, flags, record, func_ref::CTX);
        let ctx = match kind {
            CallKind::Nested => ctx,
            CallKind::Tail => self.predicted_context(ctx),
        };
        let callee = Callee::Indirect(self.signature(ty), code);
        self.emit_call(kind, callee, ctx, ty);
    }

    /// `ctx`, which probably is this function's own: by a branch, so that what follows need not wait
    /// until it is loaded. Where tail calls dispatch from function to function, each would wait for
    /// the one before.
    fn predicted_context(&mut self, ctx: Value) -> Value {
        let own = self.vmctx;
        let is_other = self.builder.ins().icmp(IntCC::NotEqual, ctx, own);
        let [other, done] = [(); 2].map(|()| self.next_block());
        let predicted = self.builder.append_block_param(done, POINTER);
        self.set_cold(other);
        self.builder.ins().brif(is_other, other, &[], done, &[own.into()]);
        self.builder.seal_block(other);
        self.builder.switch_to_block(other);
        self.builder.ins().jump(done, &[ctx.into()]);
        self.builder.seal_block(done);
        self.builder.switch_to_block(done);
        predicted
    }

    /// Traps unless `record` is a function of type `ty` or of a subtype. The load of a null record's
    /// type faults.
    fn check_signature(&mut self, record: Value, ty: TypeIndex) {
        let null = TrapCode::unwrap_user(Trap::IndirectCallToNull.code());
        let faulting = self.context_flags().with_trap_code(Some(null));
        let actual = self.builder.ins().load(I32, faulting, record, func_ref::TYPE_ID);
        let bad = self.compare_type(IntCC::NotEqual, actual, ty);
        self.trap_if(bad, Trap::BadSignature);
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
