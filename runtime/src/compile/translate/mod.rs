//! One function body to CLIF: validates and translates operator by operator. Which method handles
//! an operator stands in `ops`; each family of operators has its own file.

mod address;
mod atomic;
mod bulk;
mod call;
mod control;
mod convert;
mod env;
mod epoch;
mod exception;
mod fixed_tables;
mod frame;
mod fuel;
mod gc;
mod hint;
mod inline;
mod memory;
mod numeric;
mod ops;
mod reference;
mod simd;
mod table;
mod variable;

use std::collections::HashMap;

use anyhow::anyhow;
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::immediates::{Ieee32, Ieee64};
use cranelift_codegen::ir::types::{F32, F64, I32, I64};
use cranelift_codegen::ir::{
    Block, BlockArg, FuncRef, InstBuilder, InstructionData, Opcode, SigRef, SourceLoc, TrapCode,
    Type, Value, ValueDef,
};
use cranelift_frontend::{FunctionBuilder, Variable};
use wasmparser::{FuncValidator, Operator, OperatorsReader, ValidatorResources};

use super::artifact::RelocTarget;
use super::limits::{Budget, Effort, Plan};
use super::location::Locations;
use super::{signature, source_offset};
use crate::abi::builtins::Builtin;
use crate::wasm::convert as wasm_convert;
use crate::wasm::decode::check_stack;
use crate::wasm::index::{DefinedFuncIndex, FuncIndex, TypeIndex};
use crate::wasm::types::ValType;
use crate::{Result, Trap};

pub(super) use env::ModuleEnv;
use env::{ModuleBody, Regions};
use exception::Handlers;
use frame::Frame;
use gc::cast::Source;
use hint::Hints;
use inline::Inlining;
use variable::Local;

/// Translates the body of `func` into `builder`'s function, whose locations are returned too. The
/// caller finalizes the builder.
///
/// # Errors
///
/// If the body is invalid, or uses an operator that is not supported. The text carries the byte
/// offset.
pub(super) fn translate<'a>(
    env: &'a ModuleEnv<'a>,
    builder: FunctionBuilder<'a>,
    func: DefinedFuncIndex,
    plan: Plan,
    validator: &mut FuncValidator<ValidatorResources>,
) -> Result<(FunctionBuilder<'a>, Locations)> {
    let mut translator = Translator::begin(env, builder, func, plan);
    let body = env.body(func);
    translator.keep_deadline(body);
    translator.code(body, validator)?;
    Ok((translator.builder, translator.inlining.locations))
}

/// The state of one function's translation. While `reachable` is false the builder stands in a
/// block that already ended, and `stack` holds nothing that will be used.
struct Translator<'a> {
    builder: FunctionBuilder<'a>,
    env: &'a ModuleEnv<'a>,
    func: DefinedFuncIndex,
    plan: Plan,
    regions: Regions,
    vmctx: Value,
    /// The operand stack.
    stack: Vec<Value>,
    /// The control frames; the first one is the function's body.
    frames: Vec<Frame>,
    locals: Vec<Local>,
    reachable: bool,
    /// Whether control probably does not get to the current block.
    cold: bool,
    hints: Hints<'a>,
    inlining: Inlining,
    /// What the operators since the latest charge cost.
    fuel: i64,
    /// The epoch at which the guest is interrupted, if it is kept at hand.
    deadline: Option<Variable>,
    /// What is known of the reference that the current operator tests.
    cast_source: Source,
    handlers: Handlers,
    budget: Budget,
    /// Calls so far, of builtins too.
    calls: usize,
    /// Values that were declared to be references into the GC heap, and locals for such.
    references: usize,
    reference_locals: usize,
    signatures: HashMap<TypeIndex, SigRef>,
    callees: HashMap<RelocTarget, FuncRef>,
    /// Records of functions that are known.
    known_functions: HashMap<Value, FuncIndex>,
}

impl<'a> Translator<'a> {
    fn begin(
        env: &'a ModuleEnv<'a>,
        mut builder: FunctionBuilder<'a>,
        func: DefinedFuncIndex,
        plan: Plan,
    ) -> Translator<'a> {
        let body = env.body(func);
        let index = env.info.func_index(func);
        let ty = env.info.func_type(index);
        builder.set_srcloc(SourceLoc::new(source_offset(body.code.range().start)));
        let entry = builder.create_block();
        builder.append_block_params_for_function_params(entry);
        builder.switch_to_block(entry);
        builder.seal_block(entry);
        let params = builder.block_params(entry).to_vec();
        let regions = Regions::new(&mut builder);
        env::limit_stack(builder.func);
        let mut translator = Translator {
            builder,
            env,
            func,
            plan,
            regions,
            vmctx: params[0],
            stack: Vec::new(),
            frames: Vec::new(),
            locals: Vec::new(),
            reachable: true,
            cold: false,
            hints: Hints::of(env.info, index, body),
            inlining: Inlining::new(func, body, plan.effort),
            fuel: 0,
            deadline: None,
            cast_source: Source::ANY,
            handlers: Handlers::default(),
            budget: Budget::default(),
            calls: 0,
            references: 0,
            reference_locals: 0,
            signatures: HashMap::new(),
            callees: HashMap::new(),
            known_functions: HashMap::new(),
        };
        for (ty, value) in ty.params.iter().zip(&params[1..]) {
            translator.declare_reference(*ty, *value);
            translator.declare_local(*ty, *value);
        }
        translator.enter_function(&ty.results);
        translator
    }

    /// Validates and translates the locals and operators of a function whose parameters are declared.
    fn code(
        &mut self,
        body: &ModuleBody<'_>,
        validator: &mut FuncValidator<ValidatorResources>,
    ) -> Result<()> {
        let mut locals = body.code.get_locals_reader()?;
        for _ in 0..locals.get_count() {
            let offset = locals.original_position();
            let (count, ty) = locals.read()?;
            validator.define_locals(offset, count, ty)?;
            self.declare_locals(count, wasm_convert::val_type(ty));
        }
        self.fuel_check();
        self.epoch_check();
        self.operators(OperatorsReader::new(locals.get_binary_reader()), validator)
    }

    /// Declares `count` locals of type `ty`, which begin as zero or null.
    fn declare_locals(&mut self, count: u32, ty: ValType<TypeIndex>) {
        if count == 0 {
            return;
        }
        let clif_type = self.clif_type(ty);
        let value = zero(&mut self.builder, clif_type);
        for _ in 0..count {
            self.declare_local(ty, value);
        }
    }

    /// Validates and translates the operators. Code that cannot be reached is validated only.
    fn operators(
        &mut self,
        mut operators: OperatorsReader<'_>,
        validator: &mut FuncValidator<ValidatorResources>,
    ) -> Result<()> {
        while !operators.eof() {
            let (operator, offset) = operators.read_with_offset()?;
            if Source::is_wanted(&operator) {
                let operand = validator.get_operand_type(0).flatten();
                let ty = operand.and_then(|operand| operand.as_reference_type());
                self.cast_source = ty.map_or(Source::ANY, Source::of);
            }
            validator.op(offset, &operator)?;
            check_stack(offset, validator.operand_stack_height())?;
            let location = self.inlining.location(source_offset(offset));
            self.builder.set_srcloc(SourceLoc::new(location));
            if self.reachable {
                self.fuel_operator(&operator);
                self.operator(&operator, offset)?;
                self.charge()?;
            } else {
                self.skip(&operator);
            }
        }
        operators.finish()?;
        Ok(())
    }

    /// Charges what an operator cost to the function's budget.
    fn charge(&mut self) -> Result<()> {
        let references = self.references.min(self.reference_locals + self.stack.len());
        let dfg = &self.builder.func.dfg;
        let result = self.budget.charge(dfg, self.plan, references, self.calls);
        result.map_err(|limit| anyhow!("{} {limit}", super::name(self.env.info, self.func)))
    }

    /// Follows the nesting of code that cannot be reached.
    fn skip(&mut self, operator: &Operator<'_>) {
        match operator {
            Operator::Block { .. }
            | Operator::Loop { .. }
            | Operator::If { .. }
            | Operator::TryTable { .. } => self.enter_unreachable(),
            Operator::Else => self.else_(),
            Operator::End => self.end(),
            _ => {}
        }
    }

    // The operand stack.

    fn push(&mut self, value: Value) {
        let value = self.canonical(value);
        self.stack.push(value);
    }

    /// Pushes a value of type `ty` that comes from outside this function's own operators.
    fn push_typed(&mut self, ty: ValType<TypeIndex>, value: Value) {
        self.declare_reference(ty, value);
        self.stack.push(value);
    }

    fn pop(&mut self) -> Value {
        self.stack.pop().expect("validated: the operator's operands are on the stack")
    }

    fn pop2(&mut self) -> (Value, Value) {
        let second = self.pop();
        (self.pop(), second)
    }

    fn pop3(&mut self) -> (Value, Value, Value) {
        let third = self.pop();
        let (first, second) = self.pop2();
        (first, second, third)
    }

    /// Takes the topmost `count` values off the stack, the deepest one first.
    fn pop_many(&mut self, count: usize) -> Vec<Value> {
        self.stack.split_off(self.stack.len() - count)
    }

    /// The topmost `count` values, as a branch passes them.
    fn top_args(&self, count: usize) -> Vec<BlockArg> {
        let top = &self.stack[self.stack.len() - count..];
        top.iter().map(|value| BlockArg::Value(*value)).collect()
    }

    // Types and values.

    fn clif_type(&self, ty: ValType<TypeIndex>) -> Type {
        signature::value_type(self.env.info, ty)
    }

    fn type_of(&self, value: Value) -> Type {
        self.builder.func.dfg.value_type(value)
    }

    /// Puts `value` in the stack maps if it is a reference into the GC heap.
    fn declare_reference(&mut self, ty: ValType<TypeIndex>, value: Value) {
        if self.env.info.is_gc_ref(ty) {
            self.declare_object(value);
        }
    }

    /// Puts `value`, a reference into the GC heap, in the stack maps.
    fn declare_object(&mut self, value: Value) {
        self.references += 1;
        self.builder.declare_value_needs_stack_map(value);
    }

    fn i32_const(&mut self, value: u32) -> Value {
        self.builder.ins().iconst(I32, i64::from(value))
    }

    /// The integer that `value` is known to be, sign-extended.
    fn constant(&self, value: Value) -> Option<i64> {
        let dfg = &self.builder.func.dfg;
        let ValueDef::Result(inst, 0) = dfg.value_def(value) else { return None };
        match dfg.insts[inst] {
            InstructionData::UnaryImm { opcode: Opcode::Iconst, imm } => {
                Some(imm.sign_extend_from_width(dfg.value_type(value).bits()).bits())
            }
            _ => None,
        }
    }

    /// A number that `value`, seen as unsigned, does not exceed, if its operator tells one.
    fn upper_bound(&self, value: Value) -> Option<u64> {
        let dfg = &self.builder.func.dfg;
        let width = u64::MAX >> (u64::BITS - dfg.value_type(value).bits());
        let unsigned = |constant: i64| constant.cast_unsigned() & width;
        let ValueDef::Result(inst, 0) = dfg.value_def(value) else { return None };
        match dfg.insts[inst] {
            InstructionData::Binary { opcode: Opcode::Band, args } => {
                args.iter().filter_map(|arg| self.constant(*arg)).map(unsigned).min()
            }
            _ => self.constant(value).map(unsigned),
        }
    }

    /// An `i32` that counts or indexes, as the `i64` that builtins and addresses take.
    fn widen(&mut self, value: Value) -> Value {
        self.builder.ins().uextend(I64, value)
    }

    /// An index into a memory or a table, or a count of its pages or elements, as an `i64`.
    fn widen_index(&mut self, is_64: bool, value: Value) -> Value {
        if is_64 { value } else { self.widen(value) }
    }

    /// The converse of [`Translator::widen_index`], for results.
    fn narrow_index(&mut self, is_64: bool, value: Value) -> Value {
        if is_64 { value } else { self.builder.ins().ireduce(I32, value) }
    }

    /// Moves a block behind all others, unless the function is compiled quickly: there a value is
    /// kept for all blocks between its definition and its last use.
    fn set_cold(&mut self, block: Block) {
        if self.plan.effort == Effort::Full {
            self.builder.set_cold_block(block);
        }
    }

    // Traps.

    /// Traps in a cold block if `condition` is not zero.
    fn trap_if(&mut self, condition: Value, trap: Trap) {
        let trapping = self.builder.create_block();
        let fine = self.next_block();
        self.set_cold(trapping);
        self.builder.ins().brif(condition, trapping, &[], fine, &[]);
        self.builder.seal_block(trapping);
        self.builder.seal_block(fine);
        self.builder.switch_to_block(trapping);
        let code = self.trap_code(trap);
        self.raise(code);
        self.builder.switch_to_block(fine);
    }

    /// Ends the block by raising the trap whose code `code` is. The return address of the call
    /// belongs to the operator being translated: that is where backtraces begin.
    fn raise(&mut self, code: Value) {
        self.call_builtin(Builtin::RaiseTrap, &[code]);
        let trap = Trap::UnreachableCodeReached.code();
        self.builder.ins().trap(TrapCode::unwrap_user(trap));
    }

    fn trap_code(&mut self, trap: Trap) -> Value {
        self.i32_const(u32::from(trap.code()))
    }

    fn is_zero(&mut self, value: Value) -> Value {
        self.builder.ins().icmp_imm_u(IntCC::Equal, value, 0)
    }
}

/// The zero, or null, of any type.
pub(super) fn zero(builder: &mut FunctionBuilder<'_>, ty: Type) -> Value {
    match ty {
        F32 => builder.ins().f32const(Ieee32::with_bits(0)),
        F64 => builder.ins().f64const(Ieee64::with_bits(0)),
        ty if ty.is_vector() => {
            let bytes = vec![0; ty.bytes() as usize];
            let constant = builder.func.dfg.constants.insert(bytes.into());
            builder.ins().vconst(ty, constant)
        }
        ty => builder.ins().iconst(ty, 0),
    }
}
