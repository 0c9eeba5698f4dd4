//! Traps: every way in which a guest faults, what the embedder learns of it, and that nothing else
//! suffers from it.

use std::ffi::c_void;
use std::num::NonZero;

use anyhow::bail;
use hostref::{
    Caller, Config, Engine, Func, Instance, Linker, Module, Result, Store, Trap, TypedFunc,
    WasmBacktrace,
};

/// A module in which each export faults in one way, two calls below the export.
fn faulty(body: &str) -> Vec<u8> {
    let wat = format!(
        r#"(module $faulty
            (type $nullary (func))
            (type $unary (func (param i32)))
            (import "host" "nop" (func $nop))
            (memory 1 2)
            (table $t 4 funcref)
            (table $objects 2 externref)
            (elem $passive func $f)
            (elem (table $t) (i32.const 0) func $f $nop)
            (data $bytes "0123456789")
            (func $f (type $unary))
            (func $innermost (param $zero i32) {body})
            (func $middle (param i32) (call $innermost (local.get 0)))
            (func $outer (export "run") (param i32) (call $nop) (call $middle (local.get 0))))"#
    );
    wat::parse_str(wat).expect("the module is well-formed text")
}

/// Body of the faulting function, the trap, and the opcode that must be at the trap's offset.
const FAULTS: [(&str, Trap, u8); 33] = [
    ("unreachable", Trap::UnreachableCodeReached, 0x00),
    ("(drop (i32.div_s (i32.const 7) (local.get 0)))", Trap::IntegerDivisionByZero, 0x6d),
    ("(drop (i32.div_u (i32.const 7) (local.get 0)))", Trap::IntegerDivisionByZero, 0x6e),
    ("(drop (i32.rem_s (i32.const 7) (local.get 0)))", Trap::IntegerDivisionByZero, 0x6f),
    ("(drop (i32.rem_u (i32.const 7) (local.get 0)))", Trap::IntegerDivisionByZero, 0x70),
    ("(drop (i64.div_s (i64.const 7) (i64.const 0)))", Trap::IntegerDivisionByZero, 0x7f),
    ("(drop (i64.div_u (i64.const 7) (i64.const 0)))", Trap::IntegerDivisionByZero, 0x80),
    ("(drop (i64.rem_s (i64.const 7) (i64.const 0)))", Trap::IntegerDivisionByZero, 0x81),
    ("(drop (i64.rem_u (i64.const 7) (i64.const 0)))", Trap::IntegerDivisionByZero, 0x82),
    (
        "(drop (i32.div_s (i32.const 0x80000000) (i32.sub (local.get 0) (i32.const 1))))",
        Trap::IntegerOverflow,
        0x6d,
    ),
    (
        "(drop (i64.div_s (i64.const 0x8000000000000000) (i64.const -1)))",
        Trap::IntegerOverflow,
        0x7f,
    ),
    ("(drop (i32.trunc_f32_s (f32.const nan)))", Trap::BadConversionToInteger, 0xa8),
    ("(drop (i64.trunc_f64_u (f64.const nan)))", Trap::BadConversionToInteger, 0xb1),
    ("(drop (i32.trunc_f64_s (f64.const 2147483648)))", Trap::IntegerOverflow, 0xaa),
    ("(drop (i64.trunc_f32_u (f32.const -1)))", Trap::IntegerOverflow, 0xaf),
    ("(drop (i32.load (i32.const 65533)))", Trap::MemoryOutOfBounds, 0x28),
    ("(drop (i64.load offset=0xffffffff (i32.const -1)))", Trap::MemoryOutOfBounds, 0x29),
    ("(drop (f64.load (i32.const 0x7fffffff)))", Trap::MemoryOutOfBounds, 0x2b),
    ("(drop (i32.load8_u (i32.const 65536)))", Trap::MemoryOutOfBounds, 0x2d),
    ("(i64.store (i32.const 65529) (i64.const 1))", Trap::MemoryOutOfBounds, 0x37),
    ("(i32.store8 offset=65536 (local.get 0) (i32.const 1))", Trap::MemoryOutOfBounds, 0x3a),
    ("(memory.copy (i32.const 65530) (local.get 0) (i32.const 7))", Trap::MemoryOutOfBounds, 0xfc),
    ("(memory.fill (i32.const 65530) (local.get 0) (i32.const 7))", Trap::MemoryOutOfBounds, 0xfc),
    (
        "(memory.init $bytes (local.get 0) (i32.const 4) (i32.const 7))",
        Trap::MemoryOutOfBounds,
        0xfc,
    ),
    (
        "(data.drop $bytes) (memory.init $bytes (local.get 0) (i32.const 0) (i32.const 1))",
        Trap::MemoryOutOfBounds,
        0xfc,
    ),
    ("(drop (table.get $objects (i32.const 2)))", Trap::TableOutOfBounds, 0x25),
    ("(table.set $objects (i32.const -1) (ref.null extern))", Trap::TableOutOfBounds, 0x26),
    ("(table.fill $t (i32.const 3) (ref.null func) (i32.const 2))", Trap::TableOutOfBounds, 0xfc),
    ("(table.copy $t $t (i32.const 2) (local.get 0) (i32.const 3))", Trap::TableOutOfBounds, 0xfc),
    (
        "(table.init $t $passive (local.get 0) (i32.const 1) (i32.const 1))",
        Trap::TableOutOfBounds,
        0xfc,
    ),
    ("(call_indirect $t (type $nullary) (i32.const 4))", Trap::TableOutOfBounds, 0x11),
    ("(call_indirect $t (type $nullary) (i32.const 2))", Trap::IndirectCallToNull, 0x11),
    ("(call_indirect $t (type $nullary) (local.get 0))", Trap::BadSignature, 0x11),
];

fn engine(backtrace: bool) -> Engine {
    Engine::new(Config::new().wasm_backtrace(backtrace)).unwrap()
}

fn run_of<P: hostref::WasmParams>(
    store: &mut Store<()>,
    bytes: &[u8],
) -> (Instance, TypedFunc<P, ()>) {
    let module = Module::new(store.engine(), bytes).unwrap();
    let mut linker = Linker::new(store.engine());
    linker.func_wrap("host", "nop", || {}).unwrap();
    let instance = linker.instantiate(&mut *store, &module).unwrap();
    let run = instance.get_typed_func(store, "run").unwrap();
    (instance, run)
}

fn trap_of(error: &hostref::Error) -> Trap {
    *error.downcast_ref().unwrap_or_else(|| panic!("expected a trap, found {error:?}"))
}

#[test]
fn every_fault_is_its_trap_with_the_frames_that_led_to_it() {
    let engine = engine(true);
    for (body, trap, opcode) in FAULTS {
        let bytes = faulty(body);
        let mut store = Store::new(&engine, ());
        let (_, run) = run_of::<i32>(&mut store, &bytes);
        // Twice: the first fault must leave the store as it was.
        for _ in 0..2 {
            let error = run.call(&mut store, 0).unwrap_err();
            assert_eq!(trap_of(&error), trap, "{body}");
            let frames = error.downcast_ref::<WasmBacktrace>().unwrap().frames();
            let names: Vec<_> = frames.iter().map(|frame| frame.func_name()).collect();
            assert_eq!(names, [Some("innermost"), Some("middle"), Some("outer")], "{body}");
            let indices: Vec<_> = frames.iter().map(|frame| frame.func_index()).collect();
            assert_eq!(indices, [2, 3, 4], "{body}");
            assert!(frames.iter().all(|frame| frame.module_name() == Some("faulty")));
            let at = |frame: usize| bytes[frames[frame].module_offset().expect("an offset")];
            assert_eq!([at(0), at(1), at(2)], [opcode, 0x10, 0x10], "{body}");
        }
    }
}

#[test]
fn every_fault_is_its_trap_without_backtraces() {
    let engine = engine(false);
    for (body, trap, _) in FAULTS {
        let mut store = Store::new(&engine, ());
        let (_, run) = run_of::<i32>(&mut store, &faulty(body));
        let error = run.call(&mut store, 0).unwrap_err();
        assert_eq!(trap_of(&error), trap, "{body}");
        assert!(error.downcast_ref::<WasmBacktrace>().is_none(), "{body}");
        assert_eq!(error.to_string(), trap.to_string());
    }
}

#[test]
fn a_backtrace_reads_as_text_whatever_rust_backtrace_says() {
    let mut store = Store::new(&engine(true), ());
    let (_, run) = run_of::<i32>(&mut store, &faulty("unreachable"));
    let error = run.call(&mut store, 0).unwrap_err();
    let text = format!("{error:#}");
    for part in ["faulty!innermost", "faulty!middle", "faulty!outer", "`unreachable`"] {
        assert!(text.contains(part), "{text}");
    }
}

#[test]
fn a_function_without_a_name_is_shown_by_its_index() {
    let mut store = Store::new(&engine(true), ());
    let wat = r#"(module (func unreachable) (func (export "run") (call 0)))"#;
    let (_, run) = run_of::<()>(&mut store, &wat::parse_str(wat).unwrap());
    let error = run.call(&mut store, ()).unwrap_err();
    let backtrace = error.downcast_ref::<WasmBacktrace>().unwrap();
    assert_eq!(backtrace.frames()[0].func_name(), None);
    assert!(backtrace.to_string().contains("<wasm function 0>"), "{backtrace}");
}

#[test]
fn a_frame_knows_its_module_when_nothing_else_does() {
    let engine = Engine::default();
    let inner = r#"(module $inner (func (export "fail") unreachable))"#;
    let outer = r#"
        (module $outer
            (import "inner" "fail" (func $fail))
            (func (export "run") (call $fail)))
    "#;
    let mut store = Store::new(&engine, ());
    let inner = Module::new(&engine, inner).unwrap();
    let outer = Module::new(&engine, outer).unwrap();
    let fail = Instance::new(&mut store, &inner, &[]).unwrap().get_func(&mut store, "fail");
    let instance = Instance::new(&mut store, &outer, &[fail.unwrap().into()]).unwrap();
    let run = instance.get_typed_func::<(), ()>(&mut store, "run").unwrap();
    let error = run.call(&mut store, ()).unwrap_err();

    let frames = error.downcast_ref::<WasmBacktrace>().unwrap().frames();
    let [fail, run] = frames else { panic!("{frames:?}") };
    assert!(Module::same(fail.module(), &inner) && Module::same(run.module(), &outer));
    drop((inner, outer, store, engine));
    assert_eq!(fail.module().name(), Some("inner"));
    let again = run.module();
    assert_eq!(again.imports().next().unwrap().name(), "fail");
    assert!(Instance::new(Store::new(again.engine(), ()), fail.module(), &[]).is_ok());
}

#[test]
fn a_backtrace_has_as_many_frames_as_the_configuration_says_inlined_ones_included() {
    let deep = r#"
        (module
            (func $fail unreachable)
            (func $middle (call $fail))
            (func $run (export "run") (call $middle)))
    "#;
    for inlining in [true, false] {
        let shown = |limit| {
            let mut config = Config::new();
            config.compiler_inlining(inlining).wasm_backtrace_max_frames(NonZero::new(limit));
            let mut store = Store::new(&Engine::new(&config).unwrap(), ());
            let (_, run) = run_of::<()>(&mut store, deep.as_bytes());
            let error = run.call(&mut store, ()).unwrap_err();
            let backtrace = error.downcast_ref::<WasmBacktrace>()?;
            let names = backtrace.frames().iter().map(|frame| frame.func_name().unwrap());
            Some((names.collect::<Vec<_>>().join(" "), backtrace.to_string()))
        };
        for (limit, names, end) in [
            (1, "fail", "at least 2 more frames"),
            (2, "fail middle", "at least 1 more frame"),
            (3, "fail middle run", "!run"),
            (4, "fail middle run", "!run"),
        ] {
            let (found, text) = shown(limit).unwrap();
            assert_eq!(found, names);
            assert!(text.ends_with(end), "{text}");
        }
        assert!(shown(0).is_none());
    }
}

#[test]
fn switching_backtraces_on_again_keeps_how_many_frames_they_have() {
    let captured = |config: &Config| {
        let engine = Engine::new(config).unwrap();
        let mut store = Store::new(&engine, (0, 0));
        let look = Func::wrap(&mut store, |mut caller: Caller<'_, (usize, usize)>| {
            let capture = WasmBacktrace::capture(&caller).frames().len();
            let forced = WasmBacktrace::force_capture(&caller).frames().len();
            *caller.data_mut() = (capture, forced);
        });
        let wat = r#"
            (module
                (import "" "" (func $look))
                (func $run (export "run") (param i32)
                    (if (local.get 0)
                        (then (call $run (i32.sub (local.get 0) (i32.const 1))))
                        (else (call $look)))))
        "#;
        let module = Module::new(&engine, wat).unwrap();
        let instance = Instance::new(&mut store, &module, &[look.into()]).unwrap();
        let run = instance.get_typed_func::<i32, ()>(&mut store, "run").unwrap();
        run.call(&mut store, 199).unwrap();
        *store.data()
    };
    let mut config = Config::new();
    assert_eq!(captured(&config), (128, 128));
    assert_eq!(captured(config.wasm_backtrace_max_frames(NonZero::new(7))), (7, 7));
    assert_eq!(captured(config.wasm_backtrace(true)), (7, 7));
    assert_eq!(captured(config.wasm_backtrace(false)), (0, 128));
    assert_eq!(captured(config.wasm_backtrace(true)), (128, 128));
    assert_eq!(captured(config.wasm_backtrace_max_frames(NonZero::new(1000))), (200, 200));
}

#[test]
fn ten_thousand_traps_in_a_row_leave_the_store_usable() {
    let mut store = Store::new(&engine(true), ());
    let wat = r#"(module
        (memory 1)
        (func (export "run") (param i32)
            (br_if 0 (i32.eqz (local.get 0)))
            (if (i32.and (local.get 0) (i32.const 1))
                (then (drop (i32.load (i32.const -4))))
                (else unreachable))))"#;
    let (_, run) = run_of::<i32>(&mut store, wat.as_bytes());
    for i in 1..=10_000 {
        let error = run.call(&mut store, i).unwrap_err();
        let expected = match i % 2 {
            1 => Trap::MemoryOutOfBounds,
            _ => Trap::UnreachableCodeReached,
        };
        assert_eq!(trap_of(&error), expected);
    }
    run.call(&mut store, 0).unwrap();
}

#[test]
fn a_failed_bulk_operation_writes_nothing() {
    let mut store = Store::new(&engine(true), ());
    let wat = r#"(module
        (memory (export "memory") 1)
        (data $bytes "0123456789")
        (func (export "copy") (memory.copy (i32.const 65530) (i32.const 0) (i32.const 7)))
        (func (export "fill") (memory.fill (i32.const 65530) (i32.const 1) (i32.const 7)))
        (func (export "init") (memory.init $bytes (i32.const 65530) (i32.const 0) (i32.const 7)))
        (func (export "empty") (memory.fill (i32.const 65536) (i32.const 1) (i32.const 0)))
        (func (export "past") (memory.fill (i32.const 65537) (i32.const 1) (i32.const 0))))"#;
    let module = Module::new(store.engine(), wat).unwrap();
    let instance = Instance::new(&mut store, &module, &[]).unwrap();
    let memory = instance.get_memory(&mut store, "memory").unwrap();
    memory.write(&mut store, 0, &[7; 16]).unwrap();
    for name in ["copy", "fill", "init", "past"] {
        let run = instance.get_typed_func::<(), ()>(&mut store, name).unwrap();
        let error = run.call(&mut store, ()).unwrap_err();
        assert_eq!(trap_of(&error), Trap::MemoryOutOfBounds, "{name}");
        assert_eq!(memory.data(&store)[65530..], [0; 6], "{name}");
    }
    let empty = instance.get_typed_func::<(), ()>(&mut store, "empty").unwrap();
    empty.call(&mut store, ()).expect("an empty range at the very end is in bounds");
}

#[test]
fn a_trap_in_the_start_function_fails_instantiation_and_names_it() {
    let mut store = Store::new(&engine(true), ());
    let wat = "(module (func $begin unreachable) (start $begin))";
    let module = Module::new(store.engine(), wat).unwrap();
    for _ in 0..3 {
        let error = Instance::new(&mut store, &module, &[]).unwrap_err();
        assert_eq!(trap_of(&error), Trap::UnreachableCodeReached);
        let backtrace = error.downcast_ref::<WasmBacktrace>().unwrap();
        assert_eq!(backtrace.frames()[0].func_name(), Some("begin"));
    }
}

const RECURSION: &str = r#"(module
    (func $recur (export "recur") (param i32) (result i32)
        (i32.add (i32.const 1) (call $recur (i32.add (local.get 0) (i32.const 1)))))
    (func $even (param i32) (result i32) (i32.add (i32.const 1) (call $odd (local.get 0))))
    (func $odd (param i32) (result i32) (i32.add (i32.const 1) (call $even (local.get 0))))
    (func (export "mutual") (param i32) (result i32) (call $even (local.get 0)))
    (memory 1)
    (func (export "fault") (param i32) (result i32) (i32.load (i32.const -4)))
    (func (export "fine") (param i32) (result i32) (local.get 0)))"#;

/// Overflows the stack of the current thread in several ways and faults; works normally afterwards.
fn overflow_here(engine: &Engine) {
    let module = Module::new(engine, RECURSION).unwrap();
    let mut store = Store::new(engine, ());
    let instance = Instance::new(&mut store, &module, &[]).unwrap();
    for _ in 0..5 {
        for name in ["recur", "mutual"] {
            let run = instance.get_typed_func::<i32, i32>(&mut store, name).unwrap();
            let error = run.call(&mut store, 0).unwrap_err();
            assert_eq!(trap_of(&error), Trap::StackOverflow);
            let backtrace = error.downcast_ref::<WasmBacktrace>().unwrap();
            assert!(backtrace.frames().len() > 50, "{}", backtrace.frames().len());
        }
        let fault = instance.get_typed_func::<i32, i32>(&mut store, "fault").unwrap();
        assert_eq!(trap_of(&fault.call(&mut store, 0).unwrap_err()), Trap::MemoryOutOfBounds);
        let fine = instance.get_typed_func::<i32, i32>(&mut store, "fine").unwrap();
        assert_eq!(fine.call(&mut store, 3).unwrap(), 3);
    }
}

#[test]
fn stack_overflow_is_a_trap_on_threads_of_any_size() {
    let engine = engine(true);
    overflow_here(&engine);
    for kib in [128, 256, 1024, 8192] {
        let engine = engine.clone();
        let thread = std::thread::Builder::new().stack_size(kib << 10);
        thread.spawn(move || overflow_here(&engine)).unwrap().join().unwrap();
    }
}

#[test]
fn stack_overflow_is_a_trap_when_the_limit_is_larger_than_the_thread() {
    let engine = Engine::new(Config::new().max_wasm_stack(1 << 30)).unwrap();
    overflow_here(&engine);
}

#[test]
fn stack_overflow_is_a_trap_on_a_thread_that_the_c_library_made() {
    extern "C" fn body(engine: *mut c_void) -> *mut c_void {
        // SAFETY: the test below passes its engine and waits for the thread.
        overflow_here(unsafe { &*engine.cast::<Engine>() });
        // Any address but null says that this point was reached.
        engine
    }
    let mut engine = engine(true);
    let argument = (&raw mut engine).cast::<c_void>();
    // SAFETY: `body` is a thread's function, its argument outlives the thread, which is joined.
    let result = unsafe {
        let mut attributes = std::mem::zeroed::<libc::pthread_attr_t>();
        assert_eq!(libc::pthread_attr_init(&mut attributes), 0);
        assert_eq!(libc::pthread_attr_setstacksize(&mut attributes, 256 << 10), 0);
        let mut thread = std::mem::zeroed::<libc::pthread_t>();
        assert_eq!(libc::pthread_create(&mut thread, &attributes, body, argument), 0);
        let mut result = std::ptr::null_mut();
        assert_eq!(libc::pthread_join(thread, &mut result), 0);
        libc::pthread_attr_destroy(&mut attributes);
        result
    };
    assert_eq!(result, argument);
}

#[test]
fn recursion_through_the_host_overflows_as_a_trap() {
    let mut store = Store::new(&engine(true), 0_u32);
    let module = Module::new(
        store.engine(),
        r#"(module
            (import "" "again" (func $again))
            (func $down (export "down") (call $again)))"#,
    )
    .unwrap();
    let again = Func::wrap(&mut store, |mut caller: Caller<'_, u32>| -> Result<()> {
        *caller.data_mut() += 1;
        let Some(down) = caller.get_export("down").and_then(|export| export.into_func()) else {
            bail!("the guest exports `down`")
        };
        down.call(&mut caller, &[], &mut [])
    });
    let instance = Instance::new(&mut store, &module, &[again.into()]).unwrap();
    let down = instance.get_typed_func::<(), ()>(&mut store, "down").unwrap();
    for _ in 0..3 {
        *store.data_mut() = 0;
        let error = down.call(&mut store, ()).unwrap_err();
        assert_eq!(trap_of(&error), Trap::StackOverflow);
        assert!(*store.data() > 20, "{} levels", store.data());
    }
}

#[test]
fn a_store_that_moves_to_another_thread_obeys_that_threads_stack() {
    let engine = engine(true);
    let module = Module::new(&engine, RECURSION).unwrap();
    let mut store = Store::new(&engine, ());
    let instance = Instance::new(&mut store, &module, &[]).unwrap();
    let recur = instance.get_typed_func::<i32, i32>(&mut store, "recur").unwrap();
    assert_eq!(trap_of(&recur.call(&mut store, 0).unwrap_err()), Trap::StackOverflow);
    let small = std::thread::Builder::new().stack_size(160 << 10);
    let moved = move || {
        let error = recur.call(&mut store, 0).unwrap_err();
        (trap_of(&error), store)
    };
    let (trap, mut store) = small.spawn(moved).unwrap().join().unwrap();
    assert_eq!(trap, Trap::StackOverflow);
    assert_eq!(trap_of(&recur.call(&mut store, 0).unwrap_err()), Trap::StackOverflow);
}

#[test]
fn threads_fault_while_others_compile_and_free_code() {
    let engine = engine(true);
    let faulting = |thread: usize| {
        let engine = engine.clone();
        std::thread::spawn(move || {
            let (body, trap, _) = FAULTS[15 + thread];
            let bytes = faulty(body);
            for _ in 0..20 {
                let mut store = Store::new(&engine, ());
                let (_, run) = run_of::<i32>(&mut store, &bytes);
                for _ in 0..50 {
                    let error = run.call(&mut store, 0).unwrap_err();
                    assert_eq!(trap_of(&error), trap);
                    let frames = error.downcast_ref::<WasmBacktrace>().unwrap().frames();
                    assert_eq!(frames.len(), 3);
                }
            }
        })
    };
    let threads: Vec<_> = (0..4).map(faulting).collect();
    threads.into_iter().for_each(|thread| thread.join().unwrap());
}
