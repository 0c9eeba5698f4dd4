//! Epochs: where a guest looks whether it is interrupted: at the entry of a function and at the head of a
//! loop.

use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::types::I64;
use cranelift_codegen::ir::{InstBuilder, MemFlagsData, Value};
use cranelift_frontend::Variable;
use wasmparser::Operator;

use super::Translator;
use super::env::ModuleBody;
use crate::abi::builtins::Builtin;
use crate::abi::layout::vm_store;

impl Translator<'_> {
    /// Keeps the deadline at hand if this function, whose body is `body`, calls none: nobody else sets
    /// another one while it runs, but for what is called at the deadline itself.
    pub(super) fn keep_deadline(&mut self, body: &ModuleBody<'_>) {
        if self.env.tunables.epoch_interruption && !self.plan.locals_in_frame && is_leaf(body) {
            let deadline = self.builder.declare_var(I64);
            self.deadline = Some(deadline);
            self.load_deadline(deadline);
        }
    }

    /// Lets the embedder interrupt the guest here, if the engine is configured so.
    pub(super) fn epoch_check(&mut self) {
        if !self.env.tunables.epoch_interruption {
            return;
        }
        let store = self.store_pointer();
        let counter = self.load_constant(store, vm_store::EPOCH);
        // Another thread writes it: every check must look anew.
        let epoch = self.builder.ins().atomic_load(I64, MemFlagsData::trusted(), counter);
        let deadline = match self.deadline {
            Some(deadline) => self.builder.use_var(deadline),
            None => self.current_deadline(),
        };
        let due = self.builder.ins().icmp(IntCC::UnsignedGreaterThanOrEqual, epoch, deadline);
        let interrupted = self.builder.create_block();
        let next = self.next_block();
        self.set_cold(interrupted);
        self.builder.ins().brif(due, interrupted, &[], next, &[]);
        self.builder.seal_block(interrupted);
        self.builder.switch_to_block(interrupted);
        self.call_builtin(Builtin::NewEpoch, &[]);
        if let Some(deadline) = self.deadline {
            self.load_deadline(deadline);
        }
        self.builder.ins().jump(next, &[]);
        self.builder.seal_block(next);
        self.builder.switch_to_block(next);
    }

    fn load_deadline(&mut self, deadline: Variable) {
        let current = self.current_deadline();
        self.builder.def_var(deadline, current);
    }

    fn current_deadline(&mut self) -> Value {
        let (flags, store) = (self.context_flags(), self.store_pointer());
        self.builder.ins().load(I64, flags, store, vm_store::EPOCH_DEADLINE)
    }
}

/// Whether a function with this body calls none. Of an invalid one that does not matter.
fn is_leaf(body: &ModuleBody<'_>) -> bool {
    let calls = |operator: wasmparser::Result<Operator<'_>>| {
        use Operator::{
            Call, CallIndirect, CallRef, ReturnCall, ReturnCallIndirect, ReturnCallRef,
        };
        matches!(
            operator,
            Ok(Call { .. }
                | CallIndirect { .. }
                | CallRef { .. }
                | ReturnCall { .. }
                | ReturnCallIndirect { .. }
                | ReturnCallRef { .. })
        )
    };
    let operators = body.code.get_operators_reader();
    operators.is_ok_and(|operators| !operators.into_iter().any(calls))
}
