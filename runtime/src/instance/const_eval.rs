//! Evaluation of constant expressions at instantiation.

use super::definition::{FuncPtr, RawRef};
use super::store::StoreInner;
use crate::wasm::const_expr::{ConstExpr, ConstOp};
use crate::wasm::index::FuncIndex;

impl StoreInner {
    /// The value of a constant expression of instance `instance`, as the bits of a slot.
    pub(crate) fn eval(&self, instance: usize, expr: &ConstExpr) -> u128 {
        let mut stack: Vec<u128> = Vec::with_capacity(2);
        for op in &expr.ops {
            let value = match *op {
                ConstOp::I32Const(value) => u128::from(value as u32),
                ConstOp::I64Const(value) => u128::from(value as u64),
                ConstOp::F32Const(bits) => u128::from(bits),
                ConstOp::F64Const(bits) => u128::from(bits),
                ConstOp::V128Const(bits) => bits,
                ConstOp::RefNull(_) => 0,
                ConstOp::GlobalGet(index) => {
                    self.globals[self.instances[instance].globals[index.index()]].bits()
                }
                ConstOp::RefFunc(func) => self.func_bits(instance, func),
                op => {
                    let b = stack.pop().expect("validated: two operands");
                    let a = stack.pop().expect("validated: two operands");
                    arithmetic(op, a as u64, b as u64)
                }
            };
            stack.push(value);
        }
        stack.pop().expect("validated: a constant expression has a value")
    }

    /// The reference that a constant expression evaluates to.
    pub(crate) fn eval_ref(&self, instance: usize, expr: &ConstExpr, is_func: bool) -> RawRef {
        let bits = self.eval(instance, expr);
        if is_func { RawRef::func_from_bits(bits) } else { RawRef::Gc(bits as u32) }
    }

    fn func_bits(&self, instance: usize, func: FuncIndex) -> u128 {
        FuncPtr::to_address(self.instances[instance].func(func)) as u128
    }
}

fn arithmetic(op: ConstOp, a: u64, b: u64) -> u128 {
    let narrow = |value: u64| u128::from(value as u32);
    match op {
        ConstOp::I32Add => narrow(a.wrapping_add(b)),
        ConstOp::I32Sub => narrow(a.wrapping_sub(b)),
        ConstOp::I32Mul => narrow(a.wrapping_mul(b)),
        ConstOp::I64Add => u128::from(a.wrapping_add(b)),
        ConstOp::I64Sub => u128::from(a.wrapping_sub(b)),
        ConstOp::I64Mul => u128::from(a.wrapping_mul(b)),
        _ => panic!("every other constant instruction takes no operands"),
    }
}
