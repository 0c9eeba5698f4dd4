//! hostref, in each of its configurations.

use std::sync::Arc;

use crate::engines::observation::Observation;
use crate::features;
use crate::limits;
use crate::plan::Plan;

#[path = "driver.rs"]
mod driver;

/// How hostref is set up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// The defaults.
    Default,
    /// Memories without reservations: every access is checked.
    Checked,
    /// A collection at every opportunity.
    Stress,
    /// Guests consume fuel, of which there is enough.
    Fuel,
    /// Guests look at the epoch; it advances all the time, and they always go on.
    Epoch,
    /// A stack so small that calls run out of it.
    Shallow,
    /// All of this at once, but for the small stack.
    Everything,
}

impl Mode {
    pub const ALL: [Mode; 7] = [
        Mode::Default,
        Mode::Checked,
        Mode::Stress,
        Mode::Fuel,
        Mode::Epoch,
        Mode::Shallow,
        Mode::Everything,
    ];

    pub fn has(self, what: Mode) -> bool {
        self == what || (self == Mode::Everything && what != Mode::Shallow)
    }
}

/// An engine in this mode.
pub fn engine(mode: Mode) -> ::hostref::Engine {
    let mut config = ::hostref::Config::new();
    config
        .max_wasm_stack(limits::STACK_BYTES)
        .memory_limit(limits::MEMORY_BYTES)
        .table_limit(limits::TABLE_ELEMENTS)
        .wasm_custom_page_sizes(true)
        .wasm_wide_arithmetic(true)
        .wasm_threads(features::THREADS)
        .relaxed_simd_deterministic(true)
        .parallel_compilation(false)
        .gc_stress(mode.has(Mode::Stress))
        .consume_fuel(mode.has(Mode::Fuel))
        .epoch_interruption(mode.has(Mode::Epoch));
    if mode.has(Mode::Shallow) {
        config.max_wasm_stack(limits::SHALLOW_STACK_BYTES);
    }
    if mode.has(Mode::Checked) {
        config.memory_reservation(1 << 20);
    }
    ::hostref::Engine::new(&config).expect("the machine is supported")
}

/// Compiles a module, which need not be valid.
pub fn compile(engine: &::hostref::Engine, wasm: &[u8]) -> Observation {
    driver::compile(engine, wasm)
}

/// Runs a module by its plan.
pub fn run(engine: &::hostref::Engine, wasm: &[u8], plan: &Arc<Plan>) -> Observation {
    driver::run(engine, wasm, plan)
}

/// Fuel that no case uses up.
const ENOUGH: u64 = 1 << 40;

/// Settings of a new store. Those for which the engine has no use are refused or without effect.
pub fn prepare<T: 'static>(store: &mut ::hostref::Store<T>) {
    store.set_fuel(ENOUGH).ok();
    store.set_epoch_deadline(1);
    store.epoch_deadline_callback(|mut store| {
        store.gc();
        Ok(::hostref::UpdateDeadline::Continue(1))
    });
}

pub use api::trap_name;

/// hostref's names, and what it does in its own way.
mod api {
    use hostref::ThrownException;
    pub use hostref::{
        AsContext, AsContextMut, Caller, Engine, Error, ExnRef, Extern, ExternRef, ExternType,
        Func, FuncType, Global, Instance, Memory, Module, Ref, Result, RootScope, Rooted,
        SharedMemory, Store, StoreContextMut as Context, Table, Tag, Trap, Val, ValType,
    };

    use super::driver::Host;
    pub use super::prepare;
    use crate::value::Value;

    pub struct Extra;

    pub fn extra() -> Extra {
        Extra
    }

    pub fn before_call(store: &mut Context<'_, Host>) {
        store.engine().increment_epoch();
    }

    pub fn collect(store: &mut Context<'_, Host>) -> Result<()> {
        store.gc();
        Ok(())
    }

    pub fn thrown(store: &mut Context<'_, Host>, error: &Error) -> Option<Rooted<ExnRef>> {
        let thrown = error.downcast_ref::<ThrownException>()?;
        Some(thrown.exn_ref(store).expect("the exception is of this store"))
    }

    pub fn data<'a>(
        store: &'a mut Context<'_, Host>,
        object: &Rooted<ExternRef>,
    ) -> Option<&'a (dyn std::any::Any + Send + Sync)> {
        Some(object.data(&*store).expect("it is rooted and not borrowed"))
    }

    pub fn other_value(val: Val) -> Value {
        panic!("a value of a kind that the driver does not know: {val:?}")
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
            Trap::GcHeapOutOfMemory => "out of memory for objects",
            _ => "a trap without a name",
        }
    }
}
