//! Wasmtime, set up to do what hostref does.

use std::sync::Arc;

use ::wasmtime::{Collector, Config, OptLevel};

use crate::engines::observation::Observation;
use crate::features;
use crate::limits;
use crate::plan::Plan;

#[path = "driver.rs"]
#[allow(clippy::duplicate_mod, reason = "one run is written once and compiled for both sides")]
mod driver;

/// An engine. Without optimisation its code is as different from hostref's as it can be, and
/// compiled fastest; with it, the two sides agree on more than the specification demands.
pub fn engine(optimise: bool) -> ::wasmtime::Engine {
    let mut config = Config::new();
    config
        .max_wasm_stack(limits::STACK_BYTES)
        // Not used, and checked all the same.
        .async_stack_size(limits::THREAD_STACK_BYTES)
        .wasm_function_references(true)
        .wasm_gc(true)
        .wasm_exceptions(true)
        .wasm_tail_call(true)
        .wasm_memory64(true)
        .wasm_multi_memory(true)
        .wasm_extended_const(true)
        .wasm_relaxed_simd(true)
        .relaxed_simd_deterministic(true)
        .wasm_custom_page_sizes(features::PROPOSALS)
        .wasm_wide_arithmetic(features::PROPOSALS)
        .wasm_threads(features::THREADS)
        .shared_memory(features::THREADS)
        .collector(Collector::Copying)
        .cranelift_opt_level(if optimise { OptLevel::Speed } else { OptLevel::None });
    ::wasmtime::Engine::new(&config).expect("the machine is supported")
}

/// Compiles a module, which need not be valid.
pub fn compile(engine: &::wasmtime::Engine, wasm: &[u8]) -> Observation {
    driver::compile(engine, wasm)
}

/// Runs a module by its plan.
pub fn run(engine: &::wasmtime::Engine, wasm: &[u8], plan: &Arc<Plan>) -> Observation {
    driver::run(engine, wasm, plan)
}

/// Wasmtime's names, and what it does in its own way.
mod api {
    pub use wasmtime::{
        AsContext, AsContextMut, Caller, Engine, Error, ExnRef, Extern, ExternRef, ExternType,
        Func, FuncType, Global, Instance, Memory, Module, Ref, Result, RootScope, Rooted,
        SharedMemory, Store, StoreContextMut as Context, Table, Tag, Trap, Val, ValType,
    };
    use wasmtime::{StoreLimits, StoreLimitsBuilder, ThrownException};

    use super::driver::Host;
    use crate::limits;
    use crate::value::Value;

    /// What the store asks before anything grows.
    pub struct Extra(StoreLimits);

    pub fn extra() -> Extra {
        let limits = StoreLimitsBuilder::new()
            .memory_size(limits::MEMORY_BYTES as usize)
            .table_elements(limits::TABLE_ELEMENTS as usize);
        Extra(limits.build())
    }

    pub fn prepare(store: &mut Store<Host>) {
        store.limiter(|host| &mut host.extra.0);
    }

    pub fn before_call(_: &mut Context<'_, Host>) {}

    pub fn collect(store: &mut Context<'_, Host>) -> Result<()> {
        store.gc(None)
    }

    pub fn thrown(store: &mut Context<'_, Host>, error: &Error) -> Option<Rooted<ExnRef>> {
        error.downcast_ref::<ThrownException>()?;
        Some(store.take_pending_exception().expect("a thrown exception is pending"))
    }

    pub fn data<'a>(
        store: &'a mut Context<'_, Host>,
        object: &Rooted<ExternRef>,
    ) -> Option<&'a (dyn std::any::Any + Send + Sync)> {
        object.data(&*store).expect("it is rooted")
    }

    pub fn other_value(val: Val) -> Value {
        match val {
            Val::AnyRef(None) | Val::ContRef(None) => Value::Null,
            Val::AnyRef(Some(_)) => Value::Other("an anyref"),
            val => panic!("a value of a kind that the driver does not know: {val:?}"),
        }
    }

    /// The trap's name in the specification's tests.
    pub fn trap_name(trap: Trap) -> &'static str {
        match trap {
            Trap::StackOverflow => "call stack exhausted",
            Trap::MemoryOutOfBounds => "out of bounds memory access",
            Trap::HeapMisaligned => "unaligned atomic",
            Trap::AtomicWaitNonSharedMemory => "expected shared memory",
            Trap::TableOutOfBounds => "out of bounds table access",
            Trap::IndirectCallToNull => "uninitialized element",
            Trap::BadSignature => "indirect call type mismatch",
            Trap::IntegerOverflow => "integer overflow",
            Trap::IntegerDivisionByZero => "integer divide by zero",
            Trap::BadConversionToInteger => "invalid conversion to integer",
            Trap::UnreachableCodeReached => "unreachable",
            Trap::Interrupt => "interrupt",
            Trap::OutOfFuel => "out of fuel",
            Trap::NullReference => "null reference",
            Trap::ArrayOutOfBounds => "out of bounds array access",
            Trap::AllocationTooLarge => "allocation too large",
            Trap::CastFailure => "cast failure",
            _ => "a trap without a name",
        }
    }
}
