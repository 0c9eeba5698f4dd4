//! Fuel: what operators cost, where that is charged, and where the guest stops for want of it.
//!
//! Every operator costs one unit but those that only give structure. Costs add up while code runs
//! straight on and are charged together before control may go elsewhere, so they depend on the path
//! taken and on nothing else. The entry of a function and the head of a loop look whether any fuel
//! is left.

use std::mem;

use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::types::I64;
use cranelift_codegen::ir::{InstBuilder, Value};
use wasmparser::Operator;

use super::Translator;
use crate::Trap;
use crate::abi::layout::vm_store;

impl Translator<'_> {
    /// Counts `operator`, which is translated next.
    pub(super) fn fuel_operator(&mut self, operator: &Operator<'_>) {
        if !self.env.tunables.consume_fuel {
            return;
        }
        self.fuel += cost(operator);
        if leaves_straight_line(operator) {
            self.fuel_charge();
        }
    }

    /// Counts the entry of a function or the head of a loop, and stops the guest if there is no fuel for it.
    /// It is charged with what follows, so that this writes nothing.
    pub(super) fn fuel_check(&mut self) {
        if !self.env.tunables.consume_fuel {
            return;
        }
        self.fuel += 1;
        let needed = self.fuel;
        let fuel = self.fuel_left();
        let empty = self.builder.ins().icmp_imm_s(IntCC::SignedLessThan, fuel, needed);
        self.trap_if(empty, Trap::OutOfFuel);
    }

    fn fuel_charge(&mut self) {
        let units = mem::take(&mut self.fuel);
        if units == 0 {
            return;
        }
        let fuel = self.fuel_left();
        let fuel = self.builder.ins().iadd_imm_s(fuel, -units);
        let (flags, store) = (self.context_flags(), self.store_pointer());
        self.builder.ins().store(flags, fuel, store, vm_store::FUEL);
    }

    fn fuel_left(&mut self) -> Value {
        let (flags, store) = (self.context_flags(), self.store_pointer());
        self.builder.ins().load(I64, flags, store, vm_store::FUEL)
    }
}

fn cost(operator: &Operator<'_>) -> i64 {
    use Operator::{Block, Drop, Else, End, Loop, Nop, TryTable};
    match operator {
        Nop | Drop | Block { .. } | Loop { .. } | TryTable { .. } | Else | End => 0,
        _ => 1,
    }
}

/// Whether control may go elsewhere than to the next operator, or come from elsewhere to it.
fn leaves_straight_line(operator: &Operator<'_>) -> bool {
    use Operator::*;
    matches!(
        operator,
        Loop { .. }
            | If { .. }
            | Else
            | End
            | TryTable { .. }
            | Br { .. }
            | BrIf { .. }
            | BrTable { .. }
            | BrOnNull { .. }
            | BrOnNonNull { .. }
            | BrOnCast { .. }
            | BrOnCastFail { .. }
            | Return
            | Call { .. }
            | CallIndirect { .. }
            | CallRef { .. }
            | ReturnCall { .. }
            | ReturnCallIndirect { .. }
            | ReturnCallRef { .. }
            | Throw { .. }
            | ThrowRef
            | Unreachable
            | MemoryCopy { .. }
            | MemoryFill { .. }
            | MemoryInit { .. }
            | TableCopy { .. }
            | TableFill { .. }
            | TableInit { .. }
            | ArrayNew { .. }
            | ArrayNewDefault { .. }
            | ArrayNewData { .. }
            | ArrayNewElem { .. }
            | ArrayFill { .. }
            | ArrayCopy { .. }
            | ArrayInitData { .. }
            | ArrayInitElem { .. }
    )
}
