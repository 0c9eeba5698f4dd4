//! Hand-built functions, published and run: traps, overflows, re-entry, stack maps, memory of
//! code. This file holds what they share: a builder of artifacts and a store to run them in.

mod memory;
#[cfg(feature = "wat")]
mod modules;
mod overflow;
mod reentry;
mod refs;
mod signals;
mod traps;

use std::ffi::c_void;
use std::sync::{Arc, OnceLock};

use cranelift_codegen::Context;
use cranelift_codegen::control::ControlPlane;
use cranelift_codegen::ir::{
    AbiParam, ArgumentPurpose, ExtFuncData, ExternalName, FuncRef, Function, GlobalValueData,
    InstBuilder, MemFlagsData, Signature, TrapCode, Type, UserExternalName, Value, types,
};
use cranelift_codegen::isa::{CallConv, TargetIsa};
use cranelift_codegen::{CompiledCode, FinalizedRelocTarget};
use cranelift_frontend::{FunctionBuilder, FunctionBuilderContext};

use super::{CodeObject, EngineInner};
use crate::abi::builtins::Builtin;
use crate::abi::code_map::CodeKind;
use crate::abi::layout::{vm_store, vmctx};
use crate::abi::signature::{LoweredSig, LoweredType};
use crate::compile::{
    Artifact, CompiledFunction, Placement, RelocTarget, Relocation, TrampolineKind, Tunables, link,
};
use crate::trap::Trap;
use crate::vm::code_memory::lookup;
use crate::vm::context::{VmCtx, VmHostFunc, VmStore};
use crate::vm::entry::call_array;
use crate::vm::stack::stack_limit;
use crate::vm::unwind::{Backtrace, Fault, raise, raise_trap};
use crate::vm::value::ValRaw;
use crate::wasm::index::DefinedFuncIndex;
use crate::wasm::module::ModuleInfo;

const TRUSTED: MemFlagsData = MemFlagsData::trusted();

/// The engine of all tests of this process.
fn engine() -> &'static Arc<EngineInner> {
    static ENGINE: OnceLock<Arc<EngineInner>> = OnceLock::new();
    ENGINE.get_or_init(|| EngineInner::new(Tunables::default(), &builtin_impls()).unwrap())
}

fn builtin_impls() -> Vec<usize> {
    extern "C" fn absent() {
        std::process::abort();
    }
    unsafe extern "C" fn raise_trap_impl(store: *mut VmStore, _: *mut VmCtx, code: i32) -> ! {
        let trap = Trap::from_code(code as u8).unwrap();
        // SAFETY: called by a builtin trampoline.
        unsafe { raise_trap(store, trap) }
    }
    unsafe extern "C" fn raise_impl(store: *mut VmStore, _: *mut VmCtx) -> ! {
        // SAFETY: called by an exit trampoline.
        unsafe { raise(store) }
    }
    let address = |builtin: &Builtin| match builtin {
        Builtin::RaiseTrap => raise_trap_impl as *const () as usize,
        Builtin::Raise => raise_impl as *const () as usize,
        _ => absent as *const () as usize,
    };
    Builtin::ALL.iter().map(address).collect()
}

/// Functions `i64 -> i64` in the making.
#[derive(Default)]
struct Code {
    functions: Vec<CompiledFunction>,
}

impl Code {
    /// Adds a function whose body is built by `body` from the vmctx and the argument. It checks
    /// the stack, as Wasm functions do.
    fn add(&mut self, body: impl FnOnce(&mut Body<'_>, Value, Value) -> Value) {
        self.add_with(&[types::I64], &[types::I64], |builder, params| {
            vec![body(builder, params[0], params[1])]
        });
    }

    /// Adds a function of any type.
    fn add_with(
        &mut self,
        params: &[Type],
        results: &[Type],
        body: impl FnOnce(&mut Body<'_>, &[Value]) -> Vec<Value>,
    ) {
        let mut context = Context::new();
        context.func.signature = signature(params, results);
        check_stack(&mut context.func);
        let mut functions = FunctionBuilderContext::new();
        let mut builder = Body(FunctionBuilder::new(&mut context.func, &mut functions));
        let entry = builder.0.create_block();
        builder.0.append_block_params_for_function_params(entry);
        builder.0.switch_to_block(entry);
        let params = builder.0.block_params(entry).to_vec();
        let results = body(&mut builder, &params);
        builder.0.ins().return_(&results);
        builder.0.seal_all_blocks();
        let isa = &engine().isa;
        builder.0.finalize(isa.frontend_config());
        context.compile(&**isa, &mut ControlPlane::default()).unwrap();
        let kind = CodeKind::Wasm(DefinedFuncIndex::new(self.functions.len()));
        let compiled =
            compiled_function(&**isa, kind, &context.func, context.compiled_code().unwrap());
        self.functions.push(compiled);
    }

    fn publish(self) -> CodeObject {
        let module = Some(Arc::new(ModuleInfo::default()));
        engine().publish(link(&*engine().isa, self.functions), module).unwrap()
    }
}

/// The body of a function that is being built.
struct Body<'a>(FunctionBuilder<'a>);

impl Body<'_> {
    /// Calls function `index` of the same code.
    fn call(&mut self, index: u32, vmctx: Value, argument: Value) -> Value {
        let name = UserExternalName::new(0, index);
        let callee = self.function(name, &[types::I64], &[types::I64]);
        let call = self.0.ins().call(callee, &[vmctx, argument]);
        self.0.inst_results(call)[0]
    }

    /// Raises `trap` by software.
    fn raise_trap(&mut self, vmctx: Value, trap: Trap) {
        let name = UserExternalName::new(1, Builtin::RaiseTrap as u32);
        let callee = self.function(name, &[types::I32], &[]);
        let code = self.0.ins().iconst(types::I32, i64::from(trap.code()));
        self.0.ins().call(callee, &[vmctx, code]);
    }

    /// Calls the host function whose code and context stand in slots 0 and 1 of the vmctx.
    fn call_host(&mut self, vmctx: Value, argument: Value) -> Value {
        let code = self.slot(vmctx, 0);
        let ctx = self.slot(vmctx, 1);
        let signature = self.0.import_signature(signature(&[types::I64], &[types::I64]));
        let call = self.0.ins().call_indirect(signature, code, &[ctx, argument]);
        self.0.inst_results(call)[0]
    }

    /// A slot of the test's vmctx.
    fn slot(&mut self, vmctx: Value, slot: usize) -> Value {
        let offset = vmctx::HEADER_SIZE + slot * size_of::<usize>();
        self.0.ins().load(types::I64, TRUSTED, vmctx, offset as i32)
    }

    /// Builds `then` for the case that `condition` is nonzero; goes on after it in either case,
    /// with `otherwise` or what `then` returned.
    fn if_nonzero(
        &mut self,
        condition: Value,
        otherwise: Value,
        then: impl FnOnce(&mut Self) -> Value,
    ) -> Value {
        let [taken, join] = [self.0.create_block(), self.0.create_block()];
        let result = self.0.append_block_param(join, types::I64);
        self.0.ins().brif(condition, taken, &[], join, &[otherwise.into()]);
        self.0.switch_to_block(taken);
        let value = then(self);
        self.0.ins().jump(join, &[value.into()]);
        self.0.switch_to_block(join);
        result
    }

    fn function(&mut self, name: UserExternalName, params: &[Type], results: &[Type]) -> FuncRef {
        let signature = self.0.import_signature(signature(params, results));
        let name = ExternalName::user(self.0.func.declare_imported_user_function(name));
        let colocated = true;
        self.0.import_function(ExtFuncData { name, signature, colocated, patchable: false })
    }
}

fn signature(params: &[Type], results: &[Type]) -> Signature {
    let mut signature = Signature::new(CallConv::Tail);
    signature.params.push(AbiParam::special(types::I64, ArgumentPurpose::VMContext));
    signature.params.extend(params.iter().map(|ty| AbiParam::new(*ty)));
    signature.returns.extend(results.iter().map(|ty| AbiParam::new(*ty)));
    signature
}

fn check_stack(func: &mut Function) {
    let flags = func.dfg.mem_flags.insert(TRUSTED).unwrap();
    let load = |base, offset: i32| GlobalValueData::Load {
        base,
        offset: offset.into(),
        global_type: types::I64,
        flags,
    };
    let vmctx = func.create_global_value(GlobalValueData::VMContext);
    let store = func.create_global_value(load(vmctx, vmctx::STORE));
    func.stack_limit = Some(func.create_global_value(load(store, vm_store::STACK_LIMIT)));
}

fn compiled_function(
    isa: &dyn TargetIsa,
    kind: CodeKind,
    func: &Function,
    code: &CompiledCode,
) -> CompiledFunction {
    let target = |target: &FinalizedRelocTarget| match target {
        FinalizedRelocTarget::ExternalName(ExternalName::User(name)) => {
            let name = &func.params.user_named_funcs()[*name];
            match name.namespace {
                0 => RelocTarget::Function(DefinedFuncIndex(name.index)),
                _ => RelocTarget::Builtin(Builtin::ALL[name.index as usize]),
            }
        }
        FinalizedRelocTarget::ExternalName(ExternalName::LibCall(call)) => {
            RelocTarget::LibCall(*call)
        }
        target => unreachable!("tests name no {target:?}"),
    };
    let trap = |code: TrapCode| match code {
        TrapCode::STACK_OVERFLOW => Trap::StackOverflow.code(),
        TrapCode::HEAP_OUT_OF_BOUNDS => Trap::MemoryOutOfBounds.code(),
        TrapCode::INTEGER_DIVISION_BY_ZERO => Trap::IntegerDivisionByZero.code(),
        TrapCode::INTEGER_OVERFLOW => Trap::IntegerOverflow.code(),
        code => code.as_raw().get(),
    };
    let buffer = &code.buffer;
    let relocs = buffer.relocs().iter().map(|reloc| Relocation {
        offset: reloc.offset,
        kind: reloc.kind,
        addend: reloc.addend,
        target: target(&reloc.target),
    });
    let maps = buffer.user_stack_maps().iter().map(|(ret, frame_size, map)| {
        (*ret, *frame_size, map.entries().map(|(_, offset)| offset).collect())
    });
    CompiledFunction {
        kind,
        code: code.code_buffer().to_vec(),
        placement: Placement::anywhere(isa, buffer.alignment),
        relocs: relocs.collect(),
        traps: buffer.traps().iter().map(|entry| (entry.offset, trap(entry.code))).collect(),
        stack_maps: maps.collect(),
        call_sites: Vec::new(),
        source: vec![(0, 0)],
        inlined: Vec::new(),
        inlined_calls: Vec::new(),
    }
}

/// The Wasm function at `pc`, which is not in inlined code.
fn function_at(pc: usize) -> u32 {
    // SAFETY: tests keep their code.
    let code = unsafe { lookup(pc) }.unwrap();
    match code.function(code.offset(pc).unwrap()).unwrap().kind {
        CodeKind::Wasm(index) => index.0,
        kind => panic!("{kind:?} in a backtrace"),
    }
}

/// The lowered signature `i64 -> i64`.
fn sig() -> LoweredSig {
    LoweredSig { params: Box::new([LoweredType::I64]), results: Box::new([LoweredType::I64]) }
}

/// A vmctx with a few slots of the test's choice.
#[repr(C)]
struct TestCtx {
    header: VmCtx,
    slots: [usize; 4],
}

/// A store, one vmctx and one host function.
struct TestStore {
    store: Box<VmStore>,
    ctx: Box<TestCtx>,
    host: Box<VmHostFunc>,
    max_wasm_stack: usize,
}

type Shim = unsafe extern "C" fn(*mut VmStore, *mut TestHost, i64) -> i64;

/// What a shim gets for a context.
type TestHost = c_void;

impl TestStore {
    fn new() -> TestStore {
        extern "C" fn absent(_: *mut VmStore, _: *mut TestHost, _: i64) -> i64 {
            std::process::abort();
        }
        TestStore::with_host(absent)
    }

    fn with_host(shim: Shim) -> TestStore {
        let mut store = Box::new(VmStore::new(&engine().epoch, engine().types().table().base()));
        store.backtrace_limit.set(128);
        let pointer: *mut VmStore = &mut *store;
        let host = Box::new(VmHostFunc { store: pointer, shim: shim as *const u8 });
        let exit = engine().trampoline(TrampolineKind::TypedExit, &sig()).unwrap();
        let header = VmCtx { store: pointer, instance: 0 };
        let slots = [exit.as_ptr().addr(), std::ptr::from_ref(&*host).addr(), 0, 0];
        let ctx = Box::new(TestCtx { header, slots });
        TestStore { store, ctx, host, max_wasm_stack: 512 << 10 }
    }

    fn host(&self) -> *mut VmCtx {
        std::ptr::from_ref(&*self.host).cast_mut().cast()
    }

    /// Calls function `index` of `code`.
    fn call(&mut self, code: &CodeObject, index: usize, argument: i64) -> Result<i64, Failure> {
        self.store.stack_limit.set(stack_limit(self.max_wasm_stack));
        let ctx = std::ptr::from_mut(&mut *self.ctx).cast();
        // SAFETY: the code was built for this context and outlives the call.
        let result =
            unsafe { enter(&mut *self.store, code.function(index).as_ptr(), ctx, argument) };
        assert!(self.store.activation.get().is_null());
        result
    }
}

#[derive(Debug, PartialEq)]
struct Failure {
    fault: Option<Fault>,
    backtrace: Backtrace,
}

impl Failure {
    fn trap(&self) -> Option<Trap> {
        self.fault.map(|fault| fault.trap)
    }

    /// The functions of the backtrace.
    fn functions(&self) -> Vec<u32> {
        self.frames().map(|(func, _)| func).collect()
    }

    /// The Wasm functions and their places in the Wasm bytes, inlined ones too.
    fn frames(&self) -> impl Iterator<Item = (u32, usize)> {
        self.backtrace.pcs.iter().flat_map(|pc| {
            // SAFETY: tests keep their code.
            let code = unsafe { lookup(*pc) }.unwrap();
            let mut frames = code.wasm_frames(code.offset(*pc).unwrap()).peekable();
            assert!(frames.peek().is_some(), "only Wasm functions are in a backtrace");
            frames.map(|(func, source)| (func.0, source.unwrap() as usize))
        })
    }
}

/// Calls `code` and takes its failure out of the store.
///
/// # Safety
///
/// `code` is an `i64 -> i64` of the context `ctx`, which belongs to `store`.
unsafe fn enter(
    store: *mut VmStore,
    code: *const u8,
    ctx: *mut VmCtx,
    argument: i64,
) -> Result<i64, Failure> {
    let entry = engine().trampoline(TrampolineKind::ArrayEntry, &sig()).unwrap();
    let mut slots = [ValRaw::i64(argument)];
    // SAFETY: the entry is made for the signature; the rest is the caller's duty.
    unsafe { call_array(entry, store, code, ctx, slots.as_mut_ptr()) };
    // SAFETY: the store is live and Wasm has returned.
    let store = unsafe { &*store };
    if store.unwinding.replace(0) == 0 {
        return Ok(slots[0].get_i64());
    }
    Err(Failure { fault: store.fault.take(), backtrace: store.backtrace.take() })
}
