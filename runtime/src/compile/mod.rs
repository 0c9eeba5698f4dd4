//! From validated Wasm to machine code: Wasm to CLIF, Cranelift to bytes. Runs nothing and knows no
//! address; what the code relies on at run time stands in `abi`.

mod artifact;
mod limits;
mod link;
mod location;
mod placement;
mod signature;
mod spread;
mod trampoline;
mod translate;

#[cfg(test)]
mod tests;

use std::cmp::Reverse;
use std::num::NonZero;
use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use anyhow::anyhow;
use cranelift_codegen::control::ControlPlane;
use cranelift_codegen::ir::{Function, Signature};
use cranelift_codegen::isa::{self, OwnedTargetIsa, TargetIsa};
use cranelift_codegen::settings::{self, Configurable};
use cranelift_codegen::{CodegenError, CompiledCode, Context};
use cranelift_frontend::{FunctionBuilder, FunctionBuilderContext};
use wasmparser::{FuncToValidate, FuncValidatorAllocations, FunctionBody, ValidatorResources};

use crate::Result;
use crate::abi::code_map::CodeKind;
use crate::wasm::decode::Decoded;
use crate::wasm::index::DefinedFuncIndex;
use crate::wasm::module::ModuleInfo;

pub(crate) use artifact::{Artifact, CompiledFunction, RelocTarget, Relocation};
use limits::{Effort, Plan};
pub(crate) use link::link;
use location::Locations;
#[cfg(test)]
pub(crate) use placement::Placement;
pub(crate) use trampoline::{TrampolineKind, compile_builtins, compile_trampoline};
use translate::ModuleEnv;

/// How much time Cranelift spends to make code fast.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum OptLevel {
    /// None but for register allocation. Compiles about a third faster.
    None,
    /// What makes code faster. The default.
    #[default]
    Speed,
    /// As `Speed`, where it does not make code larger.
    SpeedAndSize,
}

/// What code is generated, beyond what the module says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Tunables {
    /// Compare the engine's epoch with the store's deadline at function entries and loop headers.
    pub(crate) epoch_interruption: bool,
    /// Count executed operators.
    pub(crate) consume_fuel: bool,
    /// Give relaxed SIMD operators the same results on every processor.
    pub(crate) relaxed_simd_deterministic: bool,
    /// Give every NaN that arithmetic yields the same bits.
    pub(crate) canonicalize_nans: bool,
    /// Memories with 32-bit addresses reserve all that such addresses can reach.
    pub(crate) reserve_memories: bool,
    /// Translate the bodies of small functions in place of calls of them.
    pub(crate) inline: bool,
    /// How much care a function of usual size gets.
    pub(crate) opt_level: OptLevel,
    /// Compile the functions of a module on all processors.
    pub(crate) parallel: bool,
    /// Run Cranelift's verifier over everything that is emitted. Costs about 60 %.
    pub(crate) verify: bool,
}

impl Default for Tunables {
    fn default() -> Tunables {
        Tunables {
            epoch_interruption: false,
            consume_fuel: false,
            relaxed_simd_deterministic: false,
            canonicalize_nans: false,
            reserve_memories: true,
            inline: true,
            opt_level: OptLevel::Speed,
            parallel: true,
            verify: cfg!(debug_assertions),
        }
    }
}

/// The instruction set of this machine, with the settings that `abi` and `vm` rely on. Found once for all
/// engines with these tunables.
///
/// # Errors
///
/// If Cranelift does not support the processor.
pub(crate) fn host_isa(tunables: &Tunables) -> Result<OwnedTargetIsa> {
    static KNOWN: Mutex<Vec<(Tunables, OwnedTargetIsa)>> = Mutex::new(Vec::new());
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((_, isa)) = known.iter().find(|(with, _)| with == tunables) {
        return Ok(isa.clone());
    }
    let isa = new_isa(tunables)?;
    known.push((tunables.clone(), isa.clone()));
    Ok(isa)
}

fn new_isa(tunables: &Tunables) -> Result<OwnedTargetIsa> {
    let builder = cranelift_native::builder()
        .map_err(|reason| anyhow!("this processor is not supported: {reason}"))?;
    Ok(builder.finish(flags(tunables, Effort::Full))?)
}

fn flags(tunables: &Tunables, effort: Effort) -> settings::Flags {
    let switch = |on| if on { "true" } else { "false" };
    let full = match tunables.opt_level {
        OptLevel::None => "none",
        OptLevel::Speed => "speed",
        OptLevel::SpeedAndSize => "speed_and_size",
    };
    let (opt_level, regalloc_algorithm) = match effort {
        Effort::Full => (full, "backtracking"),
        Effort::Careful => ("none", "backtracking"),
        Effort::Quick => ("none", "single_pass"),
    };
    let mut builder = settings::builder();
    for (name, value) in [
        ("opt_level", opt_level),
        ("regalloc_algorithm", regalloc_algorithm),
        ("is_pic", "false"),
        ("use_colocated_libcalls", "false"),
        // Stack walking follows frame pointers.
        ("preserve_frame_pointers", "true"),
        // A function may have more results than there are registers.
        ("enable_multi_ret_implicit_sret", "true"),
        ("unwind_info", "false"),
        ("enable_probestack", "false"),
        ("enable_verifier", switch(tunables.verify)),
        ("enable_nan_canonicalization", switch(tunables.canonicalize_nans)),
        // Functions are placed by where their loops are.
        ("machine_code_cfg_info", "true"),
    ] {
        builder.set(name, value).expect("a setting of this version of Cranelift");
    }
    settings::Flags::new(builder)
}

/// Validates and compiles the functions of a module.
///
/// # Errors
///
/// If a body is invalid, or uses an operator that is not supported, or exceeds the limits of one
/// function. Of several errors the one of the first function is returned.
pub(crate) fn compile_module(
    isa: &dyn TargetIsa,
    tunables: &Tunables,
    decoded: Decoded<'_>,
) -> Result<(ModuleInfo, Artifact<'static>)> {
    let Decoded { info, bodies } = decoded;
    let functions = compile_functions(isa, tunables, &info, bodies)?;
    Ok((info, link(isa, functions)))
}

type Body<'a> = (FuncToValidate<ValidatorResources>, FunctionBody<'a>);

/// Validates and compiles the functions of a module, in their order.
fn compile_functions(
    isa: &dyn TargetIsa,
    tunables: &Tunables,
    info: &ModuleInfo,
    bodies: Vec<Body<'_>>,
) -> Result<Vec<CompiledFunction>> {
    let threads = if tunables.parallel { threads(&bodies) } else { 1 };
    compile_bodies(isa, &ModuleEnv::new(info, tunables, isa, bodies), threads)
}

/// How many threads `bodies` are worth. A thread costs about as much as compiling a function of a
/// hundred bytes, and to ask how many processors there are half as much.
fn threads(bodies: &[Body<'_>]) -> usize {
    let bytes: u64 = bodies.iter().map(|(_, body)| body.range().end - body.range().start).sum();
    let worth = usize::try_from(bytes / BYTES_PER_THREAD).unwrap_or(usize::MAX);
    match bodies.len().min(worth.saturating_add(1)) {
        0 | 1 => 1,
        most => std::thread::available_parallelism().map_or(1, NonZero::get).min(most),
    }
}

/// The bytes of bodies for which another thread is started.
const BYTES_PER_THREAD: u64 = 512;

/// Compiles the bodies of a module on `threads` threads. The largest come first, so that no thread is
/// left with a large one at the end. After an error those before it are still compiled, so that the
/// first error by position is the same in every run.
fn compile_bodies(
    isa: &dyn TargetIsa,
    env: &ModuleEnv<'_>,
    threads: usize,
) -> Result<Vec<CompiledFunction>> {
    let mut order: Vec<usize> = (0..env.bodies.len()).collect();
    if threads > 1 {
        order.sort_by_key(|position| Reverse(env.bodies[*position].len()));
    }
    let next = AtomicUsize::new(0);
    let first_error = AtomicUsize::new(usize::MAX);
    let work = || {
        let mut compiler = Compiler::new(isa);
        let mut done = Vec::new();
        while let Some(&position) = order.get(next.fetch_add(1, Ordering::Relaxed)) {
            if position > first_error.load(Ordering::Relaxed) {
                continue;
            }
            let result = compiler.wasm_function(env, DefinedFuncIndex::new(position));
            if result.is_err() {
                first_error.fetch_min(position, Ordering::Relaxed);
            }
            done.push((position, result));
        }
        done
    };
    let mut done = work_on_threads(threads, work);
    done.sort_unstable_by_key(|(position, _)| *position);
    let functions = done.into_iter().map(|(_, result)| result).collect::<Result<Vec<_>>>()?;
    assert_eq!(functions.len(), env.bodies.len(), "every body is compiled or some body failed");
    Ok(functions)
}

/// Runs `work` on `threads` threads, of which this one is one, and collects the results.
fn work_on_threads<T: Send>(threads: usize, work: impl Fn() -> Vec<T> + Sync) -> Vec<T> {
    if threads <= 1 {
        return work();
    }
    std::thread::scope(|scope| {
        let others: Vec<_> = (1..threads).map(|_| scope.spawn(&work)).collect();
        let mut all = work();
        for other in others {
            match other.join() {
                Ok(results) => all.extend(results),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        all
    })
}

/// One thread's Cranelift: allocations that are reused from function to function.
struct Compiler<'a> {
    isa: &'a dyn TargetIsa,
    /// The same processor with another effort, which the latest function that needs one needs.
    other_isa: Option<(Effort, OwnedTargetIsa)>,
    context: Context,
    builder: FunctionBuilderContext,
    control: ControlPlane,
    validator: FuncValidatorAllocations,
}

impl<'a> Compiler<'a> {
    fn new(isa: &'a dyn TargetIsa) -> Compiler<'a> {
        Compiler {
            isa,
            other_isa: None,
            context: Context::new(),
            builder: FunctionBuilderContext::new(),
            control: ControlPlane::default(),
            validator: FuncValidatorAllocations::default(),
        }
    }

    /// Starts a function. It must be finalized before [`Compiler::finish`].
    fn begin(&mut self, signature: Signature) -> FunctionBuilder<'_> {
        self.context.clear();
        self.context.func.signature = signature;
        FunctionBuilder::new(&mut self.context.func, &mut self.builder)
    }

    /// Compiles the function that was begun.
    fn finish(&mut self, kind: impl FnOnce(&CompiledCode) -> CodeKind) -> Result<CompiledFunction> {
        self.finish_with(None, kind, None)
    }

    /// [`Compiler::finish`] with another instruction set than this compiler's.
    fn finish_with(
        &mut self,
        isa: Option<OwnedTargetIsa>,
        kind: impl FnOnce(&CompiledCode) -> CodeKind,
        locations: Option<Locations>,
    ) -> Result<CompiledFunction> {
        let isa = isa.as_deref().unwrap_or(self.isa);
        match self.context.compile(isa, &mut self.control) {
            Ok(_) => {}
            Err(error) => return Err(codegen_error(error.inner, error.func)),
        }
        let compiled = self.context.compiled_code().expect("compiled a line ago");
        Ok(CompiledFunction::new(isa, kind(compiled), &self.context.func, compiled, locations))
    }

    /// Validates, translates and compiles a body.
    fn wasm_function(
        &mut self,
        env: &ModuleEnv<'_>,
        func: DefinedFuncIndex,
    ) -> Result<CompiledFunction> {
        let (plan, locations) = self.translate(env, func)?;
        let isa = self.other_isa(plan.effort, env.tunables)?;
        let function = self.finish_with(isa, |_| CodeKind::Wasm(func), Some(locations));
        function.map_err(|error| limits::refused(error, &name(env.info, func)))
    }

    /// The processor with an effort other than [`Effort::Full`], which is this compiler's.
    fn other_isa(&mut self, effort: Effort, tunables: &Tunables) -> Result<Option<OwnedTargetIsa>> {
        if effort == Effort::Full {
            return Ok(None);
        }
        if let Some((other, isa)) = &self.other_isa
            && *other == effort
        {
            return Ok(Some(isa.clone()));
        }
        let isa = isa::Builder::from_target_isa(self.isa).finish(flags(tunables, effort))?;
        self.other_isa = Some((effort, isa.clone()));
        Ok(Some(isa))
    }

    /// Validates a body and translates it to CLIF, to be compiled as the result says.
    fn translate(
        &mut self,
        env: &ModuleEnv<'_>,
        func: DefinedFuncIndex,
    ) -> Result<(Plan, Locations)> {
        let plan = Plan::of(&env.body(func).code, env.params(func));
        let mut locations = self.translate_as(plan, env, func)?;
        let exceeds = |limit| anyhow!("{} {limit}", name(env.info, func));
        if env.tunables.canonicalize_nans {
            limits::permit_canonical_nans(&self.context.func).map_err(exceeds)?;
        }
        let settled = limits::settle(&mut self.context.func, plan).map_err(exceeds)?;
        if plan.effort == Effort::Full && settled.effort != Effort::Full {
            // Cold blocks and inlined calls are for good code.
            locations = self.translate_as(settled, env, func)?;
        }
        Ok((settled, locations))
    }

    fn translate_as(
        &mut self,
        plan: Plan,
        env: &ModuleEnv<'_>,
        func: DefinedFuncIndex,
    ) -> Result<Locations> {
        let allocations = std::mem::take(&mut self.validator);
        let mut validator = env.body(func).validator(allocations);
        let frontend = self.isa.frontend_config();
        let builder = self.begin(signature::wasm(&env.signature(func)));
        let translated = translate::translate(env, builder, func, plan, &mut validator);
        let (builder, locations) = match translated {
            Ok(translated) => translated,
            Err(error) => {
                // What a body that ends in the middle leaves there is not for the next function.
                self.builder = FunctionBuilderContext::new();
                return Err(error);
            }
        };
        builder.finalize(frontend);
        self.validator = validator.into_allocations();
        Ok(locations)
    }
}

/// The CLIF of one function, before optimisation: what the snapshot tests compare.
///
/// # Errors
///
/// As [`compile_module`], for this function alone.
#[cfg(test)]
pub(crate) fn clif(
    isa: &dyn TargetIsa,
    tunables: &Tunables,
    decoded: Decoded<'_>,
    func: DefinedFuncIndex,
) -> Result<String> {
    let Decoded { info, bodies } = decoded;
    let env = ModuleEnv::new(&info, tunables, isa, bodies);
    let mut compiler = Compiler::new(isa);
    compiler.translate(&env, func)?;
    Ok(compiler.context.func.display().to_string())
}

/// A limit of Cranelift is the module's fault; CLIF that does not verify is ours.
fn codegen_error(error: CodegenError, func: &Function) -> crate::Error {
    match error {
        CodegenError::Verifier(errors) => {
            panic!("the CLIF that compile emits verifies: {errors}\n{}", func.display())
        }
        error => error.into(),
    }
}

/// How messages call a function.
fn name(info: &ModuleInfo, func: DefinedFuncIndex) -> String {
    let func = info.func_index(func);
    match info.function_names.get(&func) {
        Some(name) => format!("function {} (`{name}`)", func.0),
        None => format!("function {}", func.0),
    }
}

/// Where a body is in the Wasm bytes.
fn source_range(body: &FunctionBody<'_>) -> Range<u32> {
    let range = body.range();
    source_offset(range.start)..source_offset(range.end)
}

/// A place in the Wasm bytes as the side tables hold it.
fn source_offset(offset: u64) -> u32 {
    u32::try_from(offset).expect("validated: a module has fewer than 2^32 bytes")
}
