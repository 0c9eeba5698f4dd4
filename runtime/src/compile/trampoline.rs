//! Adapters between C and the `Tail` convention, in both directions: entries from Rust into Wasm,
//! exits from Wasm to host functions, and the trampolines of builtins. Knows lowered signatures
//! only, no module.

use cranelift_codegen::CompiledCode;
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::types::I32;
use cranelift_codegen::ir::{
    Block, BlockArg, BlockCall, ExceptionTableData, ExceptionTableItem, ExtFuncData, ExternalName,
    FuncRef, Inst, InstBuilder, MemFlagsData, SigRef, Signature, StackSlot, StackSlotData,
    StackSlotKind, TrapCode, Type, Value,
};
use cranelift_codegen::isa::{CallConv, TargetIsa};
use cranelift_frontend::FunctionBuilder;

use super::artifact::{Artifact, CompiledFunction, RelocTarget};
use super::link::link;
use super::signature::{self, POINTER, clif_type};
use super::{Compiler, translate};
use crate::abi::builtins::{Builtin, Ending};
use crate::abi::code_map::CodeKind;
use crate::abi::layout::{SLOT_SIZE, activation, host_func, vm_store, vmctx};
use crate::abi::signature::{LoweredSig, LoweredType};
use crate::{Result, Trap};

/// What a trampoline adapts, and how it passes arguments and results to Rust.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum TrampolineKind {
    /// From C to Wasm, arguments in registers.
    TypedEntry,
    /// From C to Wasm, arguments in an array of slots.
    ArrayEntry,
    /// From Wasm to a host shim, arguments in registers.
    TypedExit,
    /// From Wasm to a host shim, arguments in an array of slots.
    ArrayExit,
}

/// Compiles a trampoline.
///
/// # Errors
///
/// If the signature is beyond what Cranelift can compile.
pub(crate) fn compile_trampoline(
    isa: &dyn TargetIsa,
    kind: TrampolineKind,
    sig: &LoweredSig,
) -> Result<Artifact<'static>> {
    let mut compiler = Compiler::new(isa);
    let function = match kind {
        TrampolineKind::TypedEntry => compile_entry(&mut compiler, Passing::Typed, sig),
        TrampolineKind::ArrayEntry => compile_entry(&mut compiler, Passing::Array, sig),
        TrampolineKind::TypedExit => compile_exit(&mut compiler, Passing::Typed, sig),
        TrampolineKind::ArrayExit => compile_exit(&mut compiler, Passing::Array, sig),
    };
    Ok(link(isa, vec![function?]))
}

/// Compiles the trampolines of the wanted builtins, in order.
///
/// # Errors
///
/// If the machine is not one that Cranelift compiles for.
pub(crate) fn compile_builtins(
    isa: &dyn TargetIsa,
    wanted: &[Builtin],
) -> Result<Artifact<'static>> {
    let mut compiler = Compiler::new(isa);
    let compile = |builtin: &Builtin| compile_builtin(&mut compiler, *builtin);
    Ok(link(isa, wanted.iter().map(compile).collect::<Result<_>>()?))
}

/// How the Rust side of a trampoline takes arguments and results.
#[derive(Clone, Copy)]
enum Passing {
    Typed,
    Array,
}

/// All contexts, stack slots and result slots are aligned and mapped.
const TRUSTED: MemFlagsData = MemFlagsData::trusted();

fn compile_entry(
    compiler: &mut Compiler<'_>,
    passing: Passing,
    sig: &LoweredSig,
) -> Result<CompiledFunction> {
    let isa = compiler.isa;
    let mut builder = compiler.begin(match passing {
        Passing::Typed => signature::typed_entry(isa, sig),
        Passing::Array => signature::array_entry(isa),
    });
    let params = start(&mut builder);
    let [store, code, ctx] = params[..3] else { unreachable!("an entry has three contexts") };
    let (slots, args) = match passing {
        Passing::Typed if sig.results_in_memory() => (Some(params[3]), params[4..].to_vec()),
        Passing::Typed => (None, params[3..].to_vec()),
        Passing::Array => (Some(params[3]), load_slots(&mut builder, params[3], &sig.params)),
    };

    // The block that the handler's address is taken of: it ends in the call.
    let calling = builder.create_block();
    builder.ins().jump(calling, &[]);
    builder.switch_to_block(calling);
    builder.seal_block(calling);
    let slot = stack_slot(&mut builder, activation::SIZE);
    push_activation(&mut builder, store, slot, calling);
    let callee = builder.import_signature(signature::wasm(sig));
    let args: Vec<Value> = std::iter::once(ctx).chain(args).collect();
    let (returned, raised) = try_call_indirect(&mut builder, callee, code, &args);

    builder.switch_to_block(returned);
    builder.seal_block(returned);
    pop_activation(&mut builder, slot);
    let results = builder.block_params(returned).to_vec();
    match slots {
        Some(slots) => {
            store_slots(&mut builder, slots, &results);
            builder.ins().return_(&[]);
        }
        None => {
            builder.ins().return_(&results);
        }
    }

    builder.switch_to_block(raised);
    builder.seal_block(raised);
    pop_activation(&mut builder, slot);
    let types: &[LoweredType] = if slots.is_none() { &sig.results } else { &[] };
    let zeros: Vec<Value> =
        types.iter().map(|ty| translate::zero(&mut builder, clif_type(*ty))).collect();
    builder.ins().return_(&zeros);

    builder.finalize(isa.frontend_config());
    let kind = |code: &CompiledCode| CodeKind::Entry { activation_below_fp: below_fp(code, slot) };
    compiler.finish(kind)
}

/// Fills the activation in `slot` and makes it the store's.
fn push_activation(
    builder: &mut FunctionBuilder<'_>,
    store: Value,
    slot: StackSlot,
    calling: Block,
) {
    let previous = builder.ins().load(POINTER, TRUSTED, store, vm_store::ACTIVATION);
    let handler = builder.ins().get_exception_handler_address(POINTER, calling, 0);
    let sp = builder.ins().get_stack_pointer(POINTER);
    let fp = builder.ins().get_frame_pointer(POINTER);
    let none = builder.ins().iconst(POINTER, 0);
    let address = builder.ins().stack_addr(POINTER, slot, 0);
    for (field, value) in [
        (activation::PREV, previous),
        (activation::STORE, store),
        (activation::HANDLER, handler),
        (activation::SP, sp),
        (activation::FP, fp),
        (activation::EXIT_FP, none),
    ] {
        builder.ins().store(TRUSTED, value, address, field);
    }
    builder.ins().store(TRUSTED, address, store, vm_store::ACTIVATION);
}

/// Makes the activation that the one in `slot` replaced the store's again. Both are read from the slot:
/// no value need be kept across the call.
fn pop_activation(builder: &mut FunctionBuilder<'_>, slot: StackSlot) {
    let store = builder.ins().stack_load(POINTER, POINTER, slot, activation::STORE);
    let previous = builder.ins().stack_load(POINTER, POINTER, slot, activation::PREV);
    builder.ins().store(TRUSTED, previous, store, vm_store::ACTIVATION);
}

/// Ends the block with a call; returns the block that gets its results and the block where a
/// failure resumes.
///
/// # Panics
///
/// If the callee is not of the `Tail` convention: Cranelift would assume that callee-saved
/// registers survive the exceptional edge, which `resume` does not restore.
fn try_call_indirect(
    builder: &mut FunctionBuilder<'_>,
    signature: SigRef,
    callee: Value,
    args: &[Value],
) -> (Block, Block) {
    let callee_signature = &builder.func.dfg.signatures[signature];
    assert_eq!(callee_signature.call_conv, CallConv::Tail, "try_call is for Tail callees only");
    let types: Vec<Type> = callee_signature.returns.iter().map(|param| param.value_type).collect();
    let returned = builder.create_block();
    let raised = builder.create_block();
    builder.set_cold_block(raised);
    for ty in &types {
        builder.append_block_param(returned, *ty);
    }
    let dfg = &mut builder.func.dfg;
    let results = (0..).take(types.len()).map(BlockArg::TryCallRet);
    let normal = BlockCall::new(returned, results, &mut dfg.value_lists);
    let handler = BlockCall::new(raised, None, &mut dfg.value_lists);
    let table = ExceptionTableData::new(signature, normal, [ExceptionTableItem::Default(handler)]);
    let table = dfg.exception_tables.push(table);
    builder.ins().try_call_indirect(callee, args, table);
    (returned, raised)
}

/// How far below the frame pointer `slot` begins.
fn below_fp(code: &CompiledCode, slot: StackSlot) -> u32 {
    let frame = code.buffer.frame_layout().expect("every function has a frame layout");
    frame.frame_to_fp_offset - frame.stackslots[slot].offset
}

fn compile_exit(
    compiler: &mut Compiler<'_>,
    passing: Passing,
    sig: &LoweredSig,
) -> Result<CompiledFunction> {
    let isa = compiler.isa;
    let mut builder = compiler.begin(signature::wasm(sig));
    let params = start(&mut builder);
    let (ctx, params) = (params[0], &params[1..]);
    let store = leave(&mut builder, ctx, host_func::STORE);
    let kept = keep(&mut builder, store);
    let shim = builder.ins().load(POINTER, TRUSTED, ctx, host_func::SHIM);
    let results = match passing {
        Passing::Typed => {
            let out = sig.results_in_memory().then(|| slots(&mut builder, sig.results.len()));
            let args: Vec<Value> =
                [store, ctx].into_iter().chain(out).chain(params.iter().copied()).collect();
            let call = call_c(&mut builder, signature::typed_shim(isa, sig), shim, &args);
            raise_if_unwinding(&mut builder, isa, kept);
            match out {
                Some(out) => load_slots(&mut builder, out, &sig.results),
                None => builder.inst_results(call).to_vec(),
            }
        }
        Passing::Array => {
            let slots = slots(&mut builder, sig.slots());
            store_slots(&mut builder, slots, params);
            call_c(&mut builder, signature::array_shim(isa), shim, &[store, ctx, slots]);
            raise_if_unwinding(&mut builder, isa, kept);
            load_slots(&mut builder, slots, &sig.results)
        }
    };
    builder.ins().return_(&results);
    builder.finalize(isa.frontend_config());
    compiler.finish(|_| CodeKind::Exit)
}

fn compile_builtin(compiler: &mut Compiler<'_>, builtin: Builtin) -> Result<CompiledFunction> {
    let isa = compiler.isa;
    let mut builder = compiler.begin(signature::builtin(builtin));
    let params = start(&mut builder);
    let store = leave(&mut builder, params[0], vmctx::STORE);
    let ending = builtin.sig().ending;
    let kept = (ending == Ending::MayFail).then(|| keep(&mut builder, store));
    let callee = builtin_impl(&mut builder, isa, builtin);
    let args: Vec<Value> = std::iter::once(store).chain(params.iter().copied()).collect();
    let call = builder.ins().call(callee, &args);
    if let Some(kept) = kept {
        raise_if_unwinding(&mut builder, isa, kept);
    }
    if ending == Ending::Diverges {
        unreachable_code(&mut builder);
        builder.finalize(isa.frontend_config());
        return compiler.finish(|_| CodeKind::Exit);
    }
    let results = builder.inst_results(call).to_vec();
    builder.ins().return_(&results);
    builder.finalize(isa.frontend_config());
    compiler.finish(|_| CodeKind::Exit)
}

/// Records that Wasm is left through this frame. Returns the store pointer that this activation was
/// entered with: what Rust does with the store must derive from that one.
fn leave(builder: &mut FunctionBuilder<'_>, ctx: Value, store_field: i32) -> Value {
    let store = builder.ins().load(POINTER, TRUSTED, ctx, store_field);
    let activation = builder.ins().load(POINTER, TRUSTED, store, vm_store::ACTIVATION);
    let fp = builder.ins().get_frame_pointer(POINTER);
    builder.ins().store(TRUSTED, fp, activation, activation::EXIT_FP);
    builder.ins().load(POINTER, TRUSTED, activation, activation::STORE)
}

/// Keeps the store pointer in the frame while Rust code runs: that is less work than saving a register
/// for it.
fn keep(builder: &mut FunctionBuilder<'_>, store: Value) -> StackSlot {
    let slot = stack_slot(builder, POINTER.bytes() as usize);
    builder.ins().stack_store(POINTER, store, slot, 0);
    slot
}

/// Begins to unwind if the store whose pointer is kept in the slot says so.
fn raise_if_unwinding(builder: &mut FunctionBuilder<'_>, isa: &dyn TargetIsa, kept: StackSlot) {
    let store = builder.ins().stack_load(POINTER, POINTER, kept, 0);
    let unwinding = builder.ins().load(I32, TRUSTED, store, vm_store::UNWINDING);
    let failed = builder.ins().icmp_imm_u(IntCC::NotEqual, unwinding, 0);
    let raising = builder.create_block();
    let fine = builder.create_block();
    builder.set_cold_block(raising);
    builder.ins().brif(failed, raising, &[], fine, &[]);
    builder.seal_block(raising);
    builder.seal_block(fine);

    builder.switch_to_block(raising);
    let raise = builtin_impl(builder, isa, Builtin::Raise);
    // It looks at the store alone, whatever the context.
    let ctx = builder.ins().iconst(POINTER, 0);
    builder.ins().call(raise, &[store, ctx]);
    unreachable_code(builder);
    builder.switch_to_block(fine);
}

/// Ends a block whose last call does not return.
fn unreachable_code(builder: &mut FunctionBuilder<'_>) {
    builder.ins().trap(TrapCode::unwrap_user(Trap::UnreachableCodeReached.code()));
}

/// The Rust function of a builtin. It may be anywhere in the address space.
fn builtin_impl(
    builder: &mut FunctionBuilder<'_>,
    isa: &dyn TargetIsa,
    builtin: Builtin,
) -> FuncRef {
    let signature = builder.import_signature(signature::builtin_impl(isa, builtin));
    let name = RelocTarget::BuiltinImpl(builtin).name();
    let name = ExternalName::user(builder.func.declare_imported_user_function(name));
    builder.import_function(ExtFuncData { name, signature, colocated: false, patchable: false })
}

fn call_c(
    builder: &mut FunctionBuilder<'_>,
    signature: Signature,
    callee: Value,
    args: &[Value],
) -> Inst {
    let signature = builder.import_signature(signature);
    builder.ins().call_indirect(signature, callee, args)
}

/// Opens the entry block; returns the function's parameters.
fn start(builder: &mut FunctionBuilder<'_>) -> Vec<Value> {
    let entry = builder.create_block();
    builder.append_block_params_for_function_params(entry);
    builder.switch_to_block(entry);
    builder.seal_block(entry);
    builder.block_params(entry).to_vec()
}

/// Room for `count` slots in this frame; returns its address.
fn slots(builder: &mut FunctionBuilder<'_>, count: usize) -> Value {
    let slot = stack_slot(builder, count * SLOT_SIZE as usize);
    builder.ins().stack_addr(POINTER, slot, 0)
}

fn stack_slot(builder: &mut FunctionBuilder<'_>, size: usize) -> StackSlot {
    let size = u32::try_from(size).expect("validated: at most 1000 parameters and results");
    let align_shift = 4;
    let data = StackSlotData::new(StackSlotKind::ExplicitSlot, size.max(1), align_shift);
    builder.create_sized_stack_slot(data)
}

fn load_slots(
    builder: &mut FunctionBuilder<'_>,
    slots: Value,
    types: &[LoweredType],
) -> Vec<Value> {
    (0..)
        .step_by(SLOT_SIZE as usize)
        .zip(types)
        .map(|(offset, ty)| builder.ins().load(clif_type(*ty), TRUSTED, slots, offset))
        .collect()
}

fn store_slots(builder: &mut FunctionBuilder<'_>, slots: Value, values: &[Value]) {
    for (offset, value) in (0..).step_by(SLOT_SIZE as usize).zip(values) {
        builder.ins().store(TRUSTED, *value, slots, offset);
    }
}
