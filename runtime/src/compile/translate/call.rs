//! Calls, tail calls, and the checks of indirect calls.

use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::types::I32;
use cranelift_codegen::ir::{FuncRef, InstBuilder, SigRef, TrapCode, Value};

use super::Translator;
use crate::Trap;
use crate::abi::builtins::Builtin;
use crate::abi::layout::{func_import, func_ref, type_display, type_id, vm_store, vmctx};
use crate::compile::artifact::RelocTarget;
use crate::compile::signature::{self, POINTER};
use crate::wasm::index::{FuncIndex, TableIndex, TypeIndex};
use crate::wasm::types::HeapType;

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

    pub(super) fn call_ref(&mut self, kind: CallKind, type_index: u32) {
        let record = self.pop();
        let code = self.load_code(record, Trap::NullReference);
        self.call_record(kind, record, code, TypeIndex(type_index));
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
        let callee = Callee::Indirect(self.signature(ty), code);
        self.emit_call(kind, callee, ctx, ty);
    }

    /// Traps unless `record` is a function of type `ty` or of a subtype. The load of a null record's
    /// type faults.
    fn check_signature(&mut self, record: Value, ty: TypeIndex) {
        let null = TrapCode::unwrap_user(Trap::IndirectCallToNull.code());
        let faulting = self.context_flags().with_trap_code(Some(null));
        let actual = self.builder.ins().load(I32, faulting, record, func_ref::TYPE_ID);
        let ids = self.load_constant(self.vmctx, vmctx::TYPE_IDS);
        let flags = self.constant_flags();
        let expected = self.builder.ins().load(I32, flags, ids, type_id(ty));
        let bad = if self.env.info.types[ty.index()].is_final {
            self.builder.ins().icmp(IntCC::NotEqual, actual, expected)
        } else {
            self.is_no_subtype(actual, expected, self.env.info.supertypes(ty).count())
        };
        self.trap_if(bad, Trap::BadSignature);
    }

    /// Whether the type with id `actual` is neither `expected`, which has `depth` supertypes, nor
    /// a subtype of it.
    fn is_no_subtype(&mut self, actual: Value, expected: Value, depth: usize) -> Value {
        let Some(position) = type_display::position(depth) else {
            let args = [actual, expected];
            let is_subtype = self.call_builtin_result(Builtin::IsSubtype, &args);
            return self.is_zero(is_subtype);
        };
        let store = self.store_pointer();
        let displays = self.load_constant(store, vm_store::TYPE_DISPLAYS);
        let index = self.widen(actual);
        let entry = self.builder.ins().ishl_imm_u(index, i64::from(type_display::STRIDE_LOG2));
        let entry = self.builder.ins().iadd(displays, entry);
        // What is loaded never changes, but without the id there is no entry.
        let flags = self.context_flags().with_readonly();
        let found = self.builder.ins().load(I32, flags, entry, position);
        self.builder.ins().icmp(IntCC::NotEqual, found, expected)
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
