//! Evaluation of constant expressions at instantiation. References to what an expression made before
//! are rooted while it goes on, because making more may collect.

use super::definition::{FuncPtr, RawRef};
use super::store::StoreInner;
use crate::abi::object::I31_TAG;
use crate::error::Result;
use crate::gc::{GcRef, RootIndex};
use crate::wasm::const_expr::{ConstExpr, ConstOp};
use crate::wasm::index::{FuncIndex, TypeIndex};
use crate::wasm::types::TypeId;

/// A value on the stack of an evaluation.
#[derive(Clone, Copy)]
enum Operand {
    /// The bits of a slot, no reference to an object among them.
    Bits(u128),
    /// A reference to an object.
    Object(RootIndex),
}

impl StoreInner {
    /// The value of a constant expression of instance `instance`, as the bits of a slot. A safepoint;
    /// the value itself is not rooted.
    ///
    /// # Errors
    ///
    /// If the GC heap has no room for an object.
    pub(crate) fn eval(&mut self, instance: usize, expr: &ConstExpr) -> Result<u128> {
        let scope = self.gc.enter_scope();
        let value = self.eval_operand(instance, expr);
        let bits = value.map(|value| self.bits_of(value));
        self.gc.exit_scope(scope);
        bits
    }

    /// The references that constant expressions evaluate to. A safepoint; they are not rooted.
    ///
    /// # Errors
    ///
    /// As [`StoreInner::eval`].
    pub(crate) fn eval_refs(
        &mut self,
        instance: usize,
        exprs: &[ConstExpr],
        is_func: bool,
    ) -> Result<Box<[RawRef]>> {
        let scope = self.gc.enter_scope();
        let values = exprs.iter().map(|expr| self.eval_operand(instance, expr));
        let values: Result<Vec<Operand>> = values.collect();
        let refs = values.map(|values| {
            let refs = values.into_iter().map(|value| self.bits_of(value));
            refs.map(|bits| RawRef::from_bits(bits, is_func)).collect()
        });
        self.gc.exit_scope(scope);
        refs
    }

    fn eval_operand(&mut self, instance: usize, expr: &ConstExpr) -> Result<Operand> {
        let mut stack: Vec<Operand> = Vec::with_capacity(2);
        for op in &expr.ops {
            let value = match *op {
                ConstOp::I32Const(value) => Operand::Bits(u128::from(value as u32)),
                ConstOp::I64Const(value) => Operand::Bits(u128::from(value as u64)),
                ConstOp::F32Const(bits) => Operand::Bits(u128::from(bits)),
                ConstOp::F64Const(bits) => Operand::Bits(u128::from(bits)),
                ConstOp::V128Const(bits) => Operand::Bits(bits),
                ConstOp::RefNull(_) => Operand::Bits(0),
                ConstOp::GlobalGet(index) => {
                    let global = &self.globals[self.instances[instance].globals[index.index()]];
                    let (bits, is_gc_ref) = (global.bits(), global.is_gc_ref());
                    self.operand(bits, is_gc_ref)
                }
                ConstOp::RefFunc(func) => Operand::Bits(self.func_bits(instance, func)),
                ConstOp::RefI31 => {
                    let value = self.pop_bits(&mut stack) as u32;
                    Operand::Bits(u128::from(value << 1 | I31_TAG))
                }
                ConstOp::ConvertReference => pop(&mut stack),
                ConstOp::StructNew(_)
                | ConstOp::StructNewDefault(_)
                | ConstOp::ArrayNew(_)
                | ConstOp::ArrayNewDefault(_)
                | ConstOp::ArrayNewFixed(..) => self.eval_new(instance, *op, &mut stack)?,
                op => {
                    let b = self.pop_bits(&mut stack);
                    let a = self.pop_bits(&mut stack);
                    Operand::Bits(arithmetic(op, a as u64, b as u64))
                }
            };
            stack.push(value);
        }
        Ok(pop(&mut stack))
    }

    /// Makes an object of operands. They are read after the allocation, which may move what they
    /// lead to.
    fn eval_new(
        &mut self,
        instance: usize,
        op: ConstOp,
        stack: &mut Vec<Operand>,
    ) -> Result<Operand> {
        let id = |ty: TypeIndex| self.instances[instance].module.type_id(ty);
        let object = match op {
            ConstOp::StructNew(ty) => self.eval_struct(id(ty), Some(stack))?,
            ConstOp::StructNewDefault(ty) => self.eval_struct(id(ty), None)?,
            ConstOp::ArrayNewDefault(ty) => {
                let id = id(ty);
                let len = self.pop_bits(stack) as u32;
                self.new_array(id, len)?
            }
            ConstOp::ArrayNew(ty) => {
                let id = id(ty);
                let len = self.pop_bits(stack) as u32;
                let array = self.new_array(id, len)?;
                let value = self.pop_bits(stack);
                let all = self.gc.elements(array, 0, len).expect("the array has so many elements");
                self.gc.fill(all, value);
                array
            }
            ConstOp::ArrayNewFixed(ty, len) => {
                let id = id(ty);
                let array = self.new_array(id, len)?;
                let values = stack.split_off(stack.len() - len as usize);
                let values: Vec<u128> = values.into_iter().map(|it| self.bits_of(it)).collect();
                let layout = self.object_layout(id).unwrap_array();
                self.gc.set_elements(array, layout, values.into_iter());
                array
            }
            _ => panic!("every other constant instruction makes no object"),
        };
        Ok(Operand::Object(self.gc.root(object)))
    }

    fn eval_struct(&mut self, ty: TypeId, values: Option<&mut Vec<Operand>>) -> Result<GcRef> {
        let layout = self.object_layout(ty);
        let layout = layout.unwrap_struct();
        let object = self.new_struct(ty, layout)?;
        if let Some(stack) = values {
            let values = stack.split_off(stack.len() - layout.fields.len());
            for (field, value) in layout.fields.iter().zip(values) {
                let bits = self.bits_of(value);
                self.gc.set_part(object, field.offset, field.storage, bits);
            }
        }
        Ok(object)
    }

    fn operand(&mut self, bits: u128, is_gc_ref: bool) -> Operand {
        match GcRef::from_raw(bits as u32) {
            Some(object) if is_gc_ref => Operand::Object(self.gc.root(object)),
            _ => Operand::Bits(bits),
        }
    }

    fn bits_of(&self, operand: Operand) -> u128 {
        match operand {
            Operand::Bits(bits) => bits,
            Operand::Object(root) => {
                let object = self.gc.rooted(root).expect("rooted until the evaluation ends");
                u128::from(object.to_raw())
            }
        }
    }

    fn pop_bits(&self, stack: &mut Vec<Operand>) -> u128 {
        let operand = pop(stack);
        self.bits_of(operand)
    }

    /// The reference that a constant expression evaluates to, as [`StoreInner::eval`].
    pub(crate) fn eval_ref(
        &mut self,
        instance: usize,
        expr: &ConstExpr,
        is_func: bool,
    ) -> Result<RawRef> {
        Ok(RawRef::from_bits(self.eval(instance, expr)?, is_func))
    }

    fn func_bits(&self, instance: usize, func: FuncIndex) -> u128 {
        FuncPtr::to_address(self.instances[instance].func(func)) as u128
    }
}

fn pop(stack: &mut Vec<Operand>) -> Operand {
    stack.pop().expect("validated: the operands are on the stack")
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
