//! `Config` and `Engine`: what is decided before any module is compiled.

use std::num::NonZero;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Weak};

use wasmparser::WasmFeatures;

use crate::builtins;
use crate::code::EngineInner;
use crate::compile::Tunables;
use crate::error::Result;
use crate::gc::GcConfig;
use crate::instance::engine::{EngineShared, Settings};

pub use crate::compile::OptLevel;
pub use crate::instance::engine::Engine;

/// The WebAssembly features that are on by default: what is implemented of the standard.
const FEATURES: WasmFeatures = WasmFeatures::MUTABLE_GLOBAL
    .union(WasmFeatures::SATURATING_FLOAT_TO_INT)
    .union(WasmFeatures::SIGN_EXTENSION)
    .union(WasmFeatures::REFERENCE_TYPES)
    .union(WasmFeatures::MULTI_VALUE)
    .union(WasmFeatures::BULK_MEMORY)
    .union(WasmFeatures::FLOATS)
    .union(WasmFeatures::GC_TYPES)
    .union(WasmFeatures::EXTENDED_CONST)
    .union(WasmFeatures::TAIL_CALL)
    .union(WasmFeatures::EXCEPTIONS)
    .union(WasmFeatures::SIMD)
    .union(WasmFeatures::RELAXED_SIMD)
    .union(WasmFeatures::MULTI_MEMORY)
    .union(WasmFeatures::MEMORY64)
    .union(WasmFeatures::FUNCTION_REFERENCES)
    .union(WasmFeatures::GC);

/// How many frames backtraces have by default.
pub(super) const DEFAULT_MAX_FRAMES: NonZero<usize> = NonZero::new(128).unwrap();

/// An [`Engine`] that may be gone: see [`Engine::weak`].
#[derive(Clone)]
pub struct EngineWeak(Weak<EngineShared>);

impl EngineWeak {
    /// The engine, if a handle to it, a module or a store of it is left.
    pub fn upgrade(&self) -> Option<Engine> {
        self.0.upgrade().map(Engine::from_shared)
    }
}

impl std::fmt::Debug for EngineWeak {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("EngineWeak")
    }
}

/// Settings of an [`Engine`].
///
/// ```
/// use hostref::{Config, Engine};
///
/// # fn main() -> hostref::Result<()> {
/// let engine = Engine::new(Config::new().epoch_interruption(true).max_wasm_stack(256 << 10))?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Config {
    features: WasmFeatures,
    epoch_interruption: bool,
    consume_fuel: bool,
    relaxed_simd_deterministic: bool,
    nan_canonicalization: bool,
    compiler_inlining: bool,
    opt_level: OptLevel,
    parallel_compilation: bool,
    debug_verifier: bool,
    max_wasm_stack: usize,
    wasm_backtrace_max_frames: Option<NonZero<usize>>,
    gc_stress: bool,
    gc_heap_limit: usize,
    gc_nursery_size: usize,
    host_memory_limit: Option<usize>,
    memory_reservation: u64,
    memory_limit: u64,
    table_limit: u64,
}

impl Default for Config {
    fn default() -> Config {
        Config::new()
    }
}

impl Config {
    /// The defaults, which the methods below name.
    pub fn new() -> Config {
        Config {
            features: FEATURES,
            epoch_interruption: false,
            consume_fuel: false,
            relaxed_simd_deterministic: false,
            nan_canonicalization: false,
            compiler_inlining: true,
            opt_level: OptLevel::Speed,
            parallel_compilation: true,
            debug_verifier: false,
            max_wasm_stack: 512 << 10,
            wasm_backtrace_max_frames: Some(DEFAULT_MAX_FRAMES),
            gc_stress: option_env!("HOSTREF_GC_STRESS").is_some(),
            gc_heap_limit: 1 << 30,
            gc_nursery_size: 1 << 20,
            host_memory_limit: None,
            memory_reservation: 1 << 32,
            memory_limit: 1 << 32,
            table_limit: 10_000_000,
        }
    }

    /// Makes guests look at the engine's epoch at function entries and in loops, so that they can
    /// be stopped; see [`Engine::increment_epoch`]. A guest that waits for another thread does not
    /// look: see [`wasm_threads`](Config::wasm_threads). Off by default.
    pub fn epoch_interruption(&mut self, enable: bool) -> &mut Config {
        self.epoch_interruption = enable;
        self
    }

    /// Makes guests consume fuel as they run and stop with [`Trap::OutOfFuel`](crate::Trap::OutOfFuel)
    /// when it is used up, always at the same place; see [`Store::set_fuel`](crate::Store::set_fuel).
    /// Off by default.
    pub fn consume_fuel(&mut self, enable: bool) -> &mut Config {
        self.consume_fuel = enable;
        self
    }

    /// Bytes of native stack that guests may use; more is the trap
    /// [`StackOverflow`](crate::Trap::StackOverflow). A thread with a smaller stack lowers it
    /// further. 512 KiB by default.
    pub fn max_wasm_stack(&mut self, bytes: usize) -> &mut Config {
        self.max_wasm_stack = bytes;
        self
    }

    /// Attaches a [`WasmBacktrace`](crate::WasmBacktrace) to errors, of as many frames as
    /// [`wasm_backtrace_max_frames`](Config::wasm_backtrace_max_frames) says. On by default.
    pub fn wasm_backtrace(&mut self, enable: bool) -> &mut Config {
        let limit = self.wasm_backtrace_max_frames.unwrap_or(DEFAULT_MAX_FRAMES);
        self.wasm_backtrace_max_frames(enable.then_some(limit))
    }

    /// How many frames a [`WasmBacktrace`](crate::WasmBacktrace) has at most, the innermost ones; with
    /// `None` there are no backtraces. 128 by default.
    ///
    /// ```
    /// use std::num::NonZero;
    ///
    /// use hostref::{Config, Engine, Instance, Module, Result, Store, WasmBacktrace};
    ///
    /// # fn main() -> Result<()> {
    /// let engine = Engine::new(Config::new().wasm_backtrace_max_frames(NonZero::new(3)))?;
    /// let module = Module::new(&engine, r#"
    ///     (module (func $forever (export "run") (call $forever)))
    /// "#)?;
    /// let mut store = Store::new(&engine, ());
    /// let instance = Instance::new(&mut store, &module, &[])?;
    /// let run = instance.get_typed_func::<(), ()>(&mut store, "run")?;
    /// let error = run.call(&mut store, ()).unwrap_err();
    /// assert_eq!(error.downcast_ref::<WasmBacktrace>().unwrap().frames().len(), 3);
    /// # Ok(())
    /// # }
    /// ```
    pub fn wasm_backtrace_max_frames(&mut self, limit: Option<NonZero<usize>>) -> &mut Config {
        self.wasm_backtrace_max_frames = limit;
        self
    }

    /// Translates the bodies of small functions in place of calls of them, which makes calls faster
    /// and code somewhat larger. Backtraces, fuel and the rest of what guests and embedders see are the
    /// same. On by default.
    pub fn compiler_inlining(&mut self, enable: bool) -> &mut Config {
        self.compiler_inlining = enable;
        self
    }

    /// Compiles function bodies on all cores. On by default.
    pub fn parallel_compilation(&mut self, enable: bool) -> &mut Config {
        self.parallel_compilation = enable;
        self
    }

    /// How much time the compiler spends to make code fast. Functions of extreme size get less care
    /// whatever this says. [`OptLevel::Speed`] by default.
    ///
    /// ```
    /// use hostref::{Config, Engine, OptLevel};
    ///
    /// # fn main() -> hostref::Result<()> {
    /// // For guests that run once, and shortly.
    /// let engine = Engine::new(Config::new().cranelift_opt_level(OptLevel::None))?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn cranelift_opt_level(&mut self, level: OptLevel) -> &mut Config {
        self.opt_level = level;
        self
    }

    /// Gives every NaN that arithmetic on floats yields the same bits, on every processor, which
    /// WebAssembly leaves open. Guests that count on equal results of equal computations need it, with
    /// [`relaxed_simd_deterministic`](Config::relaxed_simd_deterministic) if they use relaxed vector
    /// operators. Arithmetic on floats becomes slower, and takes several times longer to compile. Off
    /// by default.
    ///
    /// ```
    /// use hostref::{Config, Engine, Instance, Module, Result, Store};
    ///
    /// # fn main() -> Result<()> {
    /// let engine = Engine::new(Config::new().cranelift_nan_canonicalization(true))?;
    /// let module = Module::new(&engine, r#"
    ///     (module (func (export "divide") (param f32 f32) (result i32)
    ///         (i32.reinterpret_f32 (f32.div (local.get 0) (local.get 1)))))
    /// "#)?;
    /// let mut store = Store::new(&engine, ());
    /// let instance = Instance::new(&mut store, &module, &[])?;
    /// let divide = instance.get_typed_func::<(f32, f32), u32>(&mut store, "divide")?;
    /// assert_eq!(divide.call(&mut store, (0.0, 0.0))?, 0x7fc0_0000);
    /// # Ok(())
    /// # }
    /// ```
    pub fn cranelift_nan_canonicalization(&mut self, enable: bool) -> &mut Config {
        self.nan_canonicalization = enable;
        self
    }

    /// Checks the compiler's intermediate code, for those who work on it. Off by default.
    pub fn cranelift_debug_verifier(&mut self, enable: bool) -> &mut Config {
        self.debug_verifier = enable;
        self
    }

    /// Collects at every opportunity, to find references that are not rooted. Very slow. Off by
    /// default, unless the environment variable `HOSTREF_GC_STRESS` was set when hostref was built: for
    /// whole programs that do not configure it.
    pub fn gc_stress(&mut self, enable: bool) -> &mut Config {
        self.gc_stress = enable;
        self
    }

    /// Bytes of live and dead objects that the GC heap of one store may hold. 1 GiB by default, at most
    /// a little less than 4 GiB. It is no reservation: memory is used when objects are made.
    ///
    /// A guest that needs more traps with [`Trap::GcHeapOutOfMemory`](crate::Trap::GcHeapOutOfMemory);
    /// a host gets [`GcHeapOutOfMemory`](crate::GcHeapOutOfMemory). Collections are more frequent when
    /// the heap is nearly full, so the limit should leave room for about half as much again as lives.
    pub fn gc_heap_limit(&mut self, bytes: usize) -> &mut Config {
        self.gc_heap_limit = bytes;
        self
    }

    /// Bytes of young objects in one store: when so many have been made, a minor collection moves those
    /// that still live to the old objects. 1 MiB by default, at least 64 KiB, at most 15.9 MiB, and
    /// rounded up to a multiple of 64 KiB.
    ///
    /// A nursery that fits the processor's second-level cache is the fastest while most objects die
    /// young. While many survive it becomes up to four times as large, which gives them more time to
    /// die; it shrinks again when few do. A larger one makes the longest pause for a minor collection
    /// longer. Stores touch only as much of it as they use.
    pub fn gc_nursery_size(&mut self, bytes: usize) -> &mut Config {
        self.gc_nursery_size = bytes;
        self
    }

    /// Bytes that the host objects of one store may own, as far as they say so; creating more is
    /// the error [`GcHeapOutOfMemory`](crate::GcHeapOutOfMemory). No limit by default.
    pub fn host_memory_limit(&mut self, bytes: Option<usize>) -> &mut Config {
        self.host_memory_limit = bytes;
        self
    }

    /// Bytes of address space that a memory with 32-bit addresses reserves. With 4 GiB, the default,
    /// and more it reserves all that such addresses can reach, and guests' accesses need no check.
    /// With less they are checked one by one, and a memory reserves what it may grow to: its maximum
    /// or the [`memory_limit`](Config::memory_limit), whichever is less.
    pub fn memory_reservation(&mut self, bytes: u64) -> &mut Config {
        self.memory_reservation = bytes;
        self
    }

    /// Bytes that one linear memory may have: a module that declares more cannot be instantiated,
    /// and `memory.grow` past it answers -1. 4 GiB by default. A memory with 64-bit addresses
    /// reserves as much address space as it may grow to; it has at most 1 TiB whatever the limit.
    pub fn memory_limit(&mut self, bytes: u64) -> &mut Config {
        self.memory_limit = bytes;
        self
    }

    /// Elements that one table may have, as [`memory_limit`](Config::memory_limit) for memories.
    /// Ten million by default.
    pub fn table_limit(&mut self, elements: u64) -> &mut Config {
        self.table_limit = elements;
        self
    }

    /// Accepts reference types: `externref`, several tables, table instructions. On by default.
    pub fn wasm_reference_types(&mut self, enable: bool) -> &mut Config {
        self.feature(WasmFeatures::REFERENCE_TYPES, enable)
    }

    /// Accepts bulk memory instructions and passive segments. On by default.
    pub fn wasm_bulk_memory(&mut self, enable: bool) -> &mut Config {
        self.feature(WasmFeatures::BULK_MEMORY, enable)
    }

    /// Accepts functions and blocks with several results. On by default.
    pub fn wasm_multi_value(&mut self, enable: bool) -> &mut Config {
        self.feature(WasmFeatures::MULTI_VALUE, enable)
    }

    /// Accepts several memories in one module. On by default.
    pub fn wasm_multi_memory(&mut self, enable: bool) -> &mut Config {
        self.feature(WasmFeatures::MULTI_MEMORY, enable)
    }

    /// Accepts tail calls. On by default.
    pub fn wasm_tail_call(&mut self, enable: bool) -> &mut Config {
        self.feature(WasmFeatures::TAIL_CALL, enable)
    }

    /// Accepts exceptions: tags, `throw`, `throw_ref`, `try_table`, `exnref`. On by default. The
    /// legacy instructions `try` and `catch` are never accepted.
    pub fn wasm_exceptions(&mut self, enable: bool) -> &mut Config {
        self.feature(WasmFeatures::EXCEPTIONS, enable)
    }

    /// Accepts arithmetic in constant expressions. On by default.
    pub fn wasm_extended_const(&mut self, enable: bool) -> &mut Config {
        self.feature(WasmFeatures::EXTENDED_CONST, enable)
    }

    /// Accepts vectors: `v128` and its operators. On by default. Without them there are no relaxed
    /// operators either.
    pub fn wasm_simd(&mut self, enable: bool) -> &mut Config {
        self.feature(WasmFeatures::SIMD, enable)
    }

    /// Accepts relaxed vector operators, whose results may depend on the processor. On by default.
    pub fn wasm_relaxed_simd(&mut self, enable: bool) -> &mut Config {
        self.feature(WasmFeatures::RELAXED_SIMD, enable)
    }

    /// Gives relaxed vector operators the results of the specification's deterministic profile, the
    /// same on every processor. They are slower where the processor has an instruction that gives
    /// others. Off by default.
    pub fn relaxed_simd_deterministic(&mut self, enable: bool) -> &mut Config {
        self.relaxed_simd_deterministic = enable;
        self
    }

    /// Accepts typed function references: `(ref $t)`, `call_ref`, tests for null in branches. On by
    /// default. Without them there are no garbage-collected objects either.
    pub fn wasm_function_references(&mut self, enable: bool) -> &mut Config {
        self.feature(WasmFeatures::FUNCTION_REFERENCES, enable)
    }

    /// Accepts garbage-collected objects: structs, arrays, `i31`, casts, recursion groups, and declared
    /// subtypes of all types, functions among them. On by default.
    pub fn wasm_gc(&mut self, enable: bool) -> &mut Config {
        self.feature(WasmFeatures::GC, enable)
    }

    /// Accepts memories with 64-bit addresses and tables with 64-bit indices. On by default.
    pub fn wasm_memory64(&mut self, enable: bool) -> &mut Config {
        self.feature(WasmFeatures::MEMORY64, enable)
    }

    /// Accepts shared memories and atomic operators, a proposal. Off by default. The threads are the
    /// embedder's: each runs guests in a store of its own, and a [`SharedMemory`](crate::SharedMemory)
    /// connects them.
    ///
    /// A guest that waits blocks its thread until another one wakes it or its own timeout comes.
    /// Epochs do not end the wait, and fuel does not count it: an embedder who stops such a guest
    /// wakes it with [`SharedMemory::atomic_notify`](crate::SharedMemory::atomic_notify), after which
    /// it finds its deadline.
    pub fn wasm_threads(&mut self, enable: bool) -> &mut Config {
        self.feature(WasmFeatures::THREADS, enable)
    }

    /// Accepts memories with pages of one byte, a proposal. Off by default.
    pub fn wasm_custom_page_sizes(&mut self, enable: bool) -> &mut Config {
        self.feature(WasmFeatures::CUSTOM_PAGE_SIZES, enable)
    }

    /// Accepts 128-bit addition, subtraction and multiplication, a proposal. Off by default.
    pub fn wasm_wide_arithmetic(&mut self, enable: bool) -> &mut Config {
        self.feature(WasmFeatures::WIDE_ARITHMETIC, enable)
    }

    fn feature(&mut self, feature: WasmFeatures, enable: bool) -> &mut Config {
        self.features.set(feature, enable);
        self
    }

    fn tunables(&self) -> Tunables {
        Tunables {
            epoch_interruption: self.epoch_interruption,
            consume_fuel: self.consume_fuel,
            relaxed_simd_deterministic: self.relaxed_simd_deterministic,
            canonicalize_nans: self.nan_canonicalization,
            reserve_memories: self.memory_reservation >= 1 << 32,
            inline: self.compiler_inlining,
            opt_level: self.opt_level,
            parallel: self.parallel_compilation,
            verify: self.debug_verifier,
        }
    }

    /// What modules may use: nothing without what it builds on.
    fn features(&self) -> WasmFeatures {
        let mut features = self.features;
        for (base, dependent) in [
            (WasmFeatures::SIMD, WasmFeatures::RELAXED_SIMD),
            (WasmFeatures::FUNCTION_REFERENCES, WasmFeatures::GC),
        ] {
            if !features.contains(base) {
                features.remove(dependent);
            }
        }
        features
    }

    fn settings(&self) -> Settings {
        Settings {
            features: self.features(),
            max_wasm_stack: self.max_wasm_stack,
            backtrace_limit: self.wasm_backtrace_max_frames.map_or(0, NonZero::get),
            gc: GcConfig {
                heap_limit: self.gc_heap_limit,
                host_memory_limit: self.host_memory_limit,
                nursery_size: self.gc_nursery_size,
                stress: self.gc_stress,
            },
            memory_limit: self.memory_limit,
            table_limit: self.table_limit,
        }
    }
}

impl Engine {
    /// An engine with these settings.
    ///
    /// # Errors
    ///
    /// If the machine's processor is not supported, or its memory cannot be reserved.
    pub fn new(config: &Config) -> Result<Engine> {
        let code = EngineInner::new(config.tunables(), &builtins::implementations())?;
        Ok(Engine::from_shared(Arc::new(EngineShared::new(code, config.settings()))))
    }

    /// Advances the epoch; guests whose deadline it reaches are interrupted. May be called from any
    /// thread and from a signal handler.
    ///
    /// ```
    /// use hostref::{Config, Engine, Instance, Module, Result, Store, Trap};
    ///
    /// # fn main() -> Result<()> {
    /// let engine = Engine::new(Config::new().epoch_interruption(true))?;
    /// let module = Module::new(&engine, r#"(module (func (export "run") (loop (br 0))))"#)?;
    /// let mut store = Store::new(&engine, ());
    /// store.set_epoch_deadline(1);
    /// let instance = Instance::new(&mut store, &module, &[])?;
    /// let run = instance.get_typed_func::<(), ()>(&mut store, "run")?;
    ///
    /// let clock = engine.clone();
    /// std::thread::spawn(move || clock.increment_epoch());
    /// let error = run.call(&mut store, ()).unwrap_err();
    /// assert_eq!(error.downcast_ref::<Trap>(), Some(&Trap::Interrupt));
    /// # Ok(())
    /// # }
    /// ```
    pub fn increment_epoch(&self) {
        self.shared().code.epoch.fetch_add(1, Ordering::Relaxed);
    }

    /// A handle that does not keep the engine alive.
    ///
    /// ```
    /// use hostref::Engine;
    ///
    /// let engine = Engine::default();
    /// let weak = engine.weak();
    /// assert!(weak.upgrade().is_some_and(|again| Engine::same(&again, &engine)));
    /// drop(engine);
    /// assert!(weak.upgrade().is_none());
    /// ```
    pub fn weak(&self) -> EngineWeak {
        EngineWeak(Arc::downgrade(self.shared()))
    }

    /// Whether both are handles to one engine.
    pub fn same(a: &Engine, b: &Engine) -> bool {
        Arc::ptr_eq(a.shared(), b.shared())
    }
}

impl Default for Engine {
    /// An engine with the default settings.
    ///
    /// # Panics
    ///
    /// If [`Engine::new`] fails.
    fn default() -> Engine {
        Engine::new(&Config::new()).expect("the default configuration works on this machine")
    }
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Engine").finish_non_exhaustive()
    }
}
