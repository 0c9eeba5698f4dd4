//! Modules: what can be read off one, what is refused and how the error says so, and who keeps
//! compiled code alive.

use hostref::{
    Caller, Config, Engine, Extern, ExternType, Func, Instance, InstancePre, Linker, Module,
    Mutability, OptLevel, Result, Store, TypedFunc, ValType,
};

const SAMPLE: &str = r#"(module $sample
    (import "env" "log" (func $log (param i32 externref) (result f64)))
    (import "env" "memory" (memory 1 4))
    (import "" "" (global $g (mut i64)))
    (import "env" "table" (table 2 externref))
    (func (export "run") (param i32) (result i32 i64) (i32.const 0) (i64.const 0))
    (global (export "limit") f32 (f32.const 1))
    (table (export "callbacks") 3 7 funcref)
    (export "log" (func $log))
    (export "memory" (memory 0)))"#;

#[test]
fn imports_and_exports_are_listed_in_order_with_their_types() {
    let module = Module::new(&Engine::default(), SAMPLE).unwrap();
    assert_eq!(module.name(), Some("sample"));
    let imports: Vec<_> = module
        .imports()
        .map(|import| format!("{}.{} {}", import.module(), import.name(), import.ty()))
        .collect();
    let expected = [
        "env.log (func (param i32 externref) (result f64))",
        "env.memory (memory 1 4)",
        ". (global (mut i64))",
        "env.table (table 2 externref)",
    ];
    assert_eq!(imports, expected);
    let exports: Vec<_> =
        module.exports().map(|export| format!("{} {}", export.name(), export.ty())).collect();
    let expected = [
        "run (func (param i32) (result i32 i64))",
        "limit (global f32)",
        "callbacks (table 3 7 funcref)",
        "log (func (param i32 externref) (result f64))",
        "memory (memory 1 4)",
    ];
    assert_eq!(exports, expected);
}

#[test]
fn types_can_be_taken_apart() {
    let module = Module::new(&Engine::default(), SAMPLE).unwrap();
    let Some(ExternType::Func(run)) = module.get_export("run") else { panic!("a function") };
    assert_eq!(run.params().collect::<Vec<_>>(), [ValType::I32]);
    assert_eq!((run.result(1), run.result(2)), (Some(ValType::I64), None));
    let limit = module.get_export("limit").unwrap();
    let limit = limit.global().unwrap();
    assert_eq!((limit.content(), limit.mutability()), (&ValType::F32, Mutability::Const));
    let table = module.get_export("callbacks").unwrap();
    let table = table.table().unwrap();
    assert_eq!((table.minimum(), table.maximum()), (3, Some(7)));
    assert!(table.element().is_nullable());
    let memory = module.get_export("memory").unwrap();
    assert_eq!(memory.memory().map(|ty| (ty.minimum(), ty.maximum())), Some((1, Some(4))));
    assert!(module.get_export("nothing").is_none());
}

#[test]
fn an_export_found_once_is_found_in_every_instance() {
    let engine = Engine::default();
    let wat = r#"(module (func (export "f") (result i32) (i32.const 3)) (memory (export "m") 1))"#;
    let module = Module::new(&engine, wat).unwrap();
    let export = module.get_export_index("f").unwrap();
    assert!(module.get_export_index("g").is_none());
    let other = Module::new(&engine, wat).unwrap();
    let mut store = Store::new(&engine, ());
    for _ in 0..3 {
        let instance = Instance::new(&mut store, &module, &[]).unwrap();
        let func = instance.get_module_export(&mut store, &export).and_then(Extern::into_func);
        let func = func.unwrap().typed::<(), i32>(&store).unwrap();
        assert_eq!(func.call(&mut store, ()).unwrap(), 3);
        let names: Vec<_> = instance.exports(&mut store).map(|it| it.name().to_owned()).collect();
        assert_eq!(names, ["f", "m"]);
    }
    let stranger = Instance::new(&mut store, &other, &[]).unwrap();
    assert!(stranger.get_module_export(&mut store, &export).is_none());
}

#[test]
fn a_typed_look_up_that_fails_says_why() {
    let engine = Engine::default();
    let wat = r#"(module (func (export "render") (param i32)) (memory (export "m") 1))"#;
    let mut store = Store::new(&engine, ());
    let module = Module::new(&engine, wat).unwrap();
    let instance = Instance::new(&mut store, &module, &[]).unwrap();
    for (name, part) in [
        ("rendr", "a similar name is `render`"),
        ("m", "not a function but (memory 1)"),
        ("render", "parameter 0: expected i64, found i32"),
    ] {
        let error = instance.get_typed_func::<i64, ()>(&mut store, name).unwrap_err();
        assert!(format!("{error:#}").contains(part), "{error:#}");
    }
}

fn error(engine: &Engine, bytes: &[u8]) -> String {
    format!("{:#}", Module::new(engine, bytes).unwrap_err())
}

#[test]
fn malformed_and_invalid_modules_are_errors_with_the_byte_offset() {
    let engine = Engine::default();
    let good = wat::parse_str(SAMPLE).unwrap();
    for bytes in [&b"\0asm\x02\0\0\0"[..], b"\0asm\x01\0\0\0\x01", &good[..good.len() - 1]] {
        let text = error(&engine, bytes);
        assert!(text.contains("at offset 0x"), "{text}");
        let text = format!("{:#}", Module::validate(&engine, bytes).unwrap_err());
        assert!(text.contains("at offset 0x"), "{text}");
    }
    for (wat, part) in [
        ("(module (func (result i32) (i64.const 0)))", "type mismatch"),
        ("(module (func (local.get 0)))", "unknown local"),
        ("(module (func i32.add drop))", "type mismatch"),
        ("(module (memory 70000))", "memory size"),
        ("(module (memory 2 1))", "minimum must not be greater than maximum"),
        (r#"(module (func (export "a")) (memory (export "a") 1))"#, "duplicate export"),
        ("(module (start 0) (func (param i32)))", "start function"),
        ("(module (global i32 (i32.div_u (i32.const 1) (i32.const 1))))", "constant expression"),
    ] {
        let bytes = wat::parse_str(wat).unwrap();
        let text = error(&engine, &bytes);
        assert!(text.contains(part) && text.contains("at offset 0x"), "{text}");
        assert!(Module::validate(&engine, &bytes).is_err());
    }
    Module::validate(&engine, &good).unwrap();
}

#[test]
fn every_truncation_and_bit_flip_is_an_error_or_a_module() {
    let engine = Engine::default();
    let good = wat::parse_str(SAMPLE).unwrap();
    for len in 0..good.len() {
        let _ = Module::from_binary(&engine, &good[..len]);
    }
    for at in 0..good.len() {
        for bit in [0x01, 0x40, 0x80] {
            let mut bad = good.clone();
            bad[at] ^= bit;
            let _ = Module::from_binary(&engine, &bad);
        }
    }
}

#[test]
fn text_that_is_no_module_is_an_error_that_shows_the_place() {
    let text = error(&Engine::default(), b"(module (func (local.gte 0)))");
    assert!(text.contains("local.gte"), "{text}");
    assert!(Module::from_binary(&Engine::default(), b"(module)").is_err());
}

#[test]
fn a_file_holds_either_format_and_errors_name_it() {
    let engine = Engine::default();
    let folder = std::env::temp_dir().join(format!("hostref-module-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let path = |name: &str| folder.join(name);
    std::fs::write(path("text.wat"), SAMPLE).unwrap();
    std::fs::write(path("binary.wasm"), wat::parse_str(SAMPLE).unwrap()).unwrap();
    std::fs::write(path("broken.wasm"), b"\0asm\x01\0\0\0\x01").unwrap();
    for name in ["text.wat", "binary.wasm"] {
        assert_eq!(Module::from_file(&engine, path(name)).unwrap().name(), Some("sample"));
    }
    for name in ["broken.wasm", "missing.wasm"] {
        let text = format!("{:#}", Module::from_file(&engine, path(name)).unwrap_err());
        assert!(text.contains(name), "{text}");
    }
    std::fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn a_feature_that_is_switched_off_is_named() {
    type Switch = fn(&mut Config) -> &mut Config;
    let cases: [(Switch, &str, &str); 9] = [
        (|c| c.wasm_multi_value(false), "(func (result i32 i32) unreachable)", "multi-value"),
        (|c| c.wasm_bulk_memory(false), "(memory 1) (data \"passive\")", "bulk"),
        (|c| c.wasm_reference_types(false), "(func (param externref))", "reference types"),
        (|c| c.wasm_multi_memory(false), "(memory 1) (memory 1)", "multi"),
        (|c| c.wasm_tail_call(false), "(func $f (return_call $f))", "tail call"),
        (
            |c| c.wasm_extended_const(false),
            "(global i32 (i32.add (i32.const 1) (i32.const 2)))",
            "constant expression",
        ),
        (
            |c| c.wasm_function_references(false),
            "(func (param (ref extern)))",
            "function references",
        ),
        (|c| c.wasm_memory64(false), "(memory i64 1)", "memory64"),
        (|c| c.wasm_memory64(false), "(table i64 1 funcref)", "memory64"),
    ];
    for (switch, body, name) in cases {
        let bytes = wat::parse_str(format!("(module {body})")).unwrap();
        Module::new(&Engine::default(), &bytes).unwrap();
        let mut config = Config::new();
        switch(&mut config);
        let text = error(&Engine::new(&config).unwrap(), &bytes);
        assert!(text.contains(name) && text.contains("at offset 0x"), "{text}");
    }
}

#[test]
fn a_feature_that_is_not_supported_is_named() {
    let engine = Engine::default();
    for (body, names) in [
        ("(memory 1 1 shared)", ["threads", "threads"]),
        ("(memory 1) (func (drop (i32.atomic.load (i32.const 0))))", ["threads", "threads"]),
        ("(memory 1 (pagesize 1))", ["custom page sizes", "custom-page-sizes"]),
    ] {
        let bytes = wat::parse_str(format!("(module {body})")).unwrap();
        let text = error(&engine, &bytes);
        assert!(names.iter().any(|name| text.contains(name)), "{body}: {text}");
    }
    let text = error(&engine, &wat::parse_str("(component)").unwrap());
    assert!(text.contains("component"), "{text}");
}

#[test]
fn declared_sizes_over_the_limit_are_errors() {
    let engine = Engine::new(Config::new().memory_limit(10 << 16).table_limit(1000)).unwrap();
    let instantiate = |wat: &str| {
        let module = Module::new(&engine, wat)?;
        Instance::new(&mut Store::new(&engine, ()), &module, &[])
    };
    for (wat, part) in [
        ("(module (memory 11))", "exceeds the limit of 655360 bytes"),
        ("(module (memory 65536))", "exceeds the limit"),
        ("(module (table 1001 funcref))", "exceeds the limit of 1000 elements"),
        ("(module (table 4294967295 externref))", "exceeds the limit"),
    ] {
        let text = format!("{:#}", instantiate(wat).unwrap_err());
        assert!(text.contains(part), "{text}");
    }
    instantiate("(module (memory 10) (table 1000 funcref))").unwrap();
    instantiate("(module (memory 0 65536) (table 0 4294967295 externref))").unwrap();
    // Within the default limits the largest memory costs address space only.
    let engine = Engine::default();
    let module = Module::new(&engine, "(module (memory 65536))").unwrap();
    Instance::new(&mut Store::new(&engine, ()), &module, &[]).unwrap();
}

#[test]
fn code_outlives_its_module_as_long_as_a_store_uses_it() {
    let engine = Engine::default();
    let mut store = Store::new(&engine, ());
    let wat = r#"(module (func (export "f") (param i32) (result i32)
        (i32.mul (local.get 0) (i32.const 3))))"#;
    let module = Module::new(&engine, wat).unwrap();
    let instance = Instance::new(&mut store, &module, &[]).unwrap();
    let f = instance.get_typed_func::<i32, i32>(&mut store, "f").unwrap();
    drop((module, engine));
    assert_eq!(f.call(&mut store, 5).unwrap(), 15);
    assert_eq!(instance.module(&store).exports().len(), 1);
}

#[test]
fn handles_move_between_threads_as_their_types_say() {
    fn send_and_sync<T: Send + Sync>() {}
    fn send<T: Send>() {}
    struct Unsync(#[allow(dead_code, reason = "only its type counts")] *const u8);
    send_and_sync::<(Engine, Module, Config, hostref::Error)>();
    send_and_sync::<(Linker<Unsync>, InstancePre<Unsync>)>();
    send_and_sync::<(Func, TypedFunc<i32, i64>, Instance, hostref::Val, hostref::WasmBacktrace)>();
    send::<Store<std::cell::Cell<u8>>>();
    send::<Caller<'_, std::cell::Cell<u8>>>();
    send_and_sync::<Store<u8>>();
}

#[test]
fn threads_compile_and_run_at_the_same_time() {
    let engine = Engine::default();
    let threads = (0..4_u32).map(|thread| {
        let engine = engine.clone();
        std::thread::spawn(move || -> Result<()> {
            for round in 0..25 {
                // Types in an order of each thread's own, so that they race in the registry.
                let ty = "f64 ".repeat(((thread + 1) * round % 13) as usize);
                let functions: String = (0..8)
                    .map(|i| format!("(func (result i32) (i32.const {}))", thread * 100 + i))
                    .collect();
                let wat = format!(
                    r#"(module (type (func (param {ty}))) {functions}
                        (func (export "f") (result i32) (i32.add (call 3) (call 4))))"#
                );
                let module = Module::new(&engine, wat)?;
                let mut store = Store::new(&engine, ());
                let instance = Instance::new(&mut store, &module, &[])?;
                let f = instance.get_typed_func::<(), u32>(&mut store, "f")?;
                assert_eq!(f.call(&mut store, ())?, thread * 200 + 7);
            }
            Ok(())
        })
    });
    for thread in threads.collect::<Vec<_>>() {
        thread.join().unwrap().unwrap();
    }
}

#[test]
fn every_optimisation_level_computes_the_same() -> Result<()> {
    for level in [OptLevel::None, OptLevel::Speed, OptLevel::SpeedAndSize] {
        let engine = Engine::new(Config::new().cranelift_opt_level(level))?;
        let wat = r#"(module (func (export "sum") (param i32) (result i32) (local i32)
            (loop $next
                (local.set 1 (i32.add (local.get 1) (i32.mul (local.get 0) (i32.const 3))))
                (br_if $next (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))
            (local.get 1)))"#;
        let mut store = Store::new(&engine, ());
        let instance = Instance::new(&mut store, &Module::new(&engine, wat)?, &[])?;
        let sum = instance.get_typed_func::<i32, i32>(&mut store, "sum")?;
        assert_eq!(sum.call(&mut store, 100)?, 3 * 5050, "{level:?}");
    }
    Ok(())
}
