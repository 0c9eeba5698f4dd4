//! Modules as bytes: what was compiled runs in another engine, what is not whole or was compiled for
//! something else is refused, and no bytes whatever make loading panic.

use std::fs;
use std::io::Read as _;
use std::panic::{AssertUnwindSafe, catch_unwind};

use hostref::{
    Config, Engine, Instance, Linker, Module, OptLevel, Precompiled, Result, Store, Trap,
    WasmBacktrace,
};

/// A module with some of everything that a compiled module consists of.
const SAMPLE: &str = r#"(module $sample
    (import "env" "log" (func $log (param i32)))
    (type $pair (struct (field (mut i32)) (field (ref null $pair))))
    (type $bytes (array (mut i8)))
    (tag $failure (param i32))
    (memory (export "memory") 1 3)
    (data (i32.const 8) "active") (data $passive "passive")
    (table (export "table") 4 funcref)
    (elem (i32.const 1) $double)
    (elem $more func $trapping)
    (global $v v128 (v128.const i64x2 1 2))
    (global (export "counter") (mut i64) (i64.const 7))
    (func $start (call $log (i32.const 1)))
    (start $start)
    (func $double (export "double") (param i32) (result i32)
        (i32.mul (local.get 0) (i32.const 2)))
    (func $trapping (export "trapping") (param i32) (result i32)
        (i32.div_u (i32.const 1) (local.get 0)))
    (func (export "pairs") (param i32) (result i32) (local $list (ref null $pair))
        (loop $next
            (local.set $list (struct.new $pair (local.get 0) (local.get $list)))
            (br_if $next (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))
        (struct.get $pair 0 (struct.get $pair 1 (local.get $list))))
    (func (export "thrown") (param i32) (result i32)
        (block $caught (result i32)
            (try_table (catch $failure $caught) (throw $failure (local.get 0)))
            (unreachable)))
    (func (export "bytes") (param i32) (result i32)
        (array.get_u $bytes
            (array.new_data $bytes $passive (i32.const 0) (i32.const 7)) (local.get 0)))
    (func (export "init") (param i32) (result i32)
        (table.init $more (i32.const 2) (i32.const 0) (i32.const 1))
        (memory.init $passive (i32.const 100) (i32.const 0) (i32.const 7))
        (call_indirect (param i32) (result i32) (local.get 0) (i32.const 2)))
    (func (export "floor") (param i32) (result i32)
        (i32.trunc_f64_s (f64.floor (f64.div (f64.convert_i32_s (local.get 0)) (f64.const 2))))))"#;

fn compiled() -> Vec<u8> {
    Engine::default().precompile_module(SAMPLE.as_bytes()).unwrap()
}

/// What `bytes` are in an engine with these settings.
fn load(config: &Config, bytes: &[u8]) -> Result<Module> {
    // SAFETY: the tests load what was compiled, or what loading must find to be changed.
    unsafe { Module::deserialize(&Engine::new(config)?, bytes) }
}

fn refused(config: &Config, bytes: &[u8]) -> String {
    format!("{:#}", load(config, bytes).expect_err("the module is not for this engine"))
}

#[test]
fn a_module_runs_in_another_engine() -> Result<()> {
    let module = load(&Config::new(), &compiled())?;
    assert_eq!((module.name(), module.imports().len()), (Some("sample"), 1));
    let mut linker: Linker<i32> = Linker::new(module.engine());
    linker.func_wrap("env", "log", |mut caller: hostref::Caller<'_, i32>, by: i32| {
        *caller.data_mut() += by;
    })?;
    let mut store = Store::new(module.engine(), 0);
    let instance = linker.instantiate(&mut store, &module)?;
    assert_eq!(*store.data(), 1);
    for (name, argument, expected) in [
        ("double", 21, 42),
        ("pairs", 1000, 2),
        ("thrown", 5, 5),
        ("bytes", 3, i32::from(b's')),
        ("init", 1, 1),
        ("floor", -3, -2),
    ] {
        let function = instance.get_typed_func::<i32, i32>(&mut store, name)?;
        assert_eq!(function.call(&mut store, argument)?, expected, "{name}");
    }
    let memory = instance.get_memory(&mut store, "memory").expect("an export");
    assert_eq!(&memory.data(&store)[8..14], b"active");
    assert_eq!(&memory.data(&store)[100..107], b"passive");

    let trapping = instance.get_typed_func::<i32, i32>(&mut store, "trapping")?;
    let error = trapping.call(&mut store, 0).unwrap_err();
    assert_eq!(error.downcast_ref(), Some(&Trap::IntegerDivisionByZero));
    let backtrace = error.downcast_ref::<WasmBacktrace>().expect("backtraces are on");
    assert_eq!(backtrace.frames()[0].func_name(), Some("trapping"));
    assert!(backtrace.frames()[0].module_offset().is_some());
    Ok(())
}

#[test]
fn the_bytes_do_not_depend_on_how_the_module_was_made() -> Result<()> {
    let engine = Engine::default();
    let bytes = compiled();
    assert_eq!(Module::new(&engine, SAMPLE)?.serialize()?, bytes);
    assert_eq!(load(&Config::new(), &bytes)?.serialize()?, bytes);
    assert_eq!(load(Config::new().parallel_compilation(false), &bytes)?.serialize()?, bytes);
    Ok(())
}

#[test]
fn a_file_is_loaded_and_named_when_it_is_not_one() -> Result<()> {
    let folder = std::env::temp_dir().join(format!("hostref-serialized-{}", std::process::id()));
    fs::create_dir_all(&folder)?;
    let (good, bad) = (folder.join("good.cwasm"), folder.join("bad.cwasm"));
    fs::write(&good, compiled())?;
    fs::write(&bad, b"\0asm\x01\0\0\0")?;
    let engine = Engine::default();
    assert_eq!(Engine::detect_precompiled_file(&good)?, Some(Precompiled::Module));
    assert_eq!(Engine::detect_precompiled_file(&bad)?, None);
    // SAFETY: the file was written above.
    let module = unsafe { Module::deserialize_file(&engine, &good)? };
    assert_eq!(module.name(), Some("sample"));
    // Whoever opened the file may have looked at it.
    let mut open = fs::File::open(&good)?;
    open.read_exact(&mut [0; 8])?;
    // SAFETY: the file was written above.
    let module = unsafe { Module::deserialize_open_file(&engine, open)? };
    assert_eq!(module.name(), Some("sample"));
    // SAFETY: there is no code in it.
    let error = unsafe { Module::deserialize_open_file(&engine, fs::File::open(&bad)?) };
    assert!(error.unwrap_err().to_string().contains("has not been compiled"));
    for (file, reason) in [(&bad, "has not been compiled"), (&folder.join("none"), "No such file")]
    {
        // SAFETY: there is no code in it.
        let error = unsafe { Module::deserialize_file(&engine, file) }.unwrap_err();
        let text = format!("{error:#}");
        assert!(text.contains(reason) && text.contains(&*file.to_string_lossy()), "{text}");
    }
    fs::remove_dir_all(folder)?;
    Ok(())
}

#[test]
fn another_engine_is_named_by_what_differs() {
    let bytes = compiled();
    let differs = [
        ("epoch_interruption", Config::new().epoch_interruption(true).clone()),
        ("consume_fuel", Config::new().consume_fuel(true).clone()),
        ("relaxed_simd_deterministic", Config::new().relaxed_simd_deterministic(true).clone()),
        ("nan_canonicalization", Config::new().cranelift_nan_canonicalization(true).clone()),
        ("memory_reservation", Config::new().memory_reservation(0).clone()),
    ];
    for (name, config) in &differs {
        let error = refused(config, &bytes);
        assert!(error.contains(name) && error.contains("this engine expects"), "{error}");
        let other = Engine::new(config).unwrap().precompile_module(b"(module)").unwrap();
        assert!(load(config, &other).is_ok());
        assert!(refused(&Config::new(), &other).contains(name));
    }
    let error = refused(Config::new().wasm_gc(false), &bytes);
    assert!(error.contains("`Config::wasm_gc`"), "{error}");
    // What says nothing about the code may differ, and an engine may accept more.
    let mut config = Config::new();
    config.cranelift_opt_level(OptLevel::None).max_wasm_stack(1 << 20).wasm_threads(true);
    config.wasm_backtrace(false).memory_limit(1 << 20).gc_stress(true);
    assert!(load(&config, &bytes).is_ok());
}

#[test]
fn other_bytes_are_refused() {
    let config = Config::new();
    let error = refused(&config, b"\0asm\x01\0\0\0");
    assert!(error.contains("WebAssembly module that has not been compiled"), "{error}");
    assert!(refused(&config, b"").contains("something else"));
    assert!(refused(&config, b"\x7fELF").contains("something else"));
    let bytes = compiled();
    let error = Module::new(&Engine::default(), &bytes).unwrap_err().to_string();
    assert!(error.contains("see `Module::deserialize`"), "{error}");
    let mut future = bytes.clone();
    future[8] += 1;
    assert!(refused(&config, &future).contains("format version 4"));
    assert!(refused(&config, &[&bytes[..], b"x"].concat()).contains("bytes follow"));
}

#[test]
fn every_truncation_and_every_changed_byte_is_found() {
    let engine = Engine::default();
    let wat = r#"(module (memory 1) (data (i32.const 0) "abc") (func (export "f")))"#;
    let bytes = engine.precompile_module(wat.as_bytes()).unwrap();
    let error = |bytes: &[u8]| {
        // SAFETY: it is loading that is tested: it must find the change.
        let outcome = catch_unwind(AssertUnwindSafe(|| unsafe {
            Module::deserialize(&engine, bytes).map(drop)
        }));
        outcome.expect("loading does not panic").expect_err("the change is found").to_string()
    };
    for len in 0..bytes.len() {
        let text = error(&bytes[..len]);
        assert!(
            text.contains(if len < 8 { "something else" } else { "truncated" }),
            "{len}: {text}"
        );
    }
    for at in 0..bytes.len() {
        for bit in [1, 0x80] {
            let mut changed = bytes.clone();
            changed[at] ^= bit;
            error(&changed);
        }
    }
}

#[test]
fn contents_that_make_no_sense_are_an_error_even_with_a_good_checksum() {
    /// CRC-32 as in Ethernet, bit by bit.
    fn checksum(bytes: &[u8]) -> u32 {
        !bytes.iter().fold(!0, |sum, byte| {
            (0..8).fold(sum ^ u32::from(*byte), |sum, _| (sum >> 1) ^ ((sum & 1) * 0xedb8_8320))
        })
    }
    let bytes = compiled();
    assert_eq!(bytes[12..16], checksum(&bytes[24..]).to_le_bytes(), "the test knows the format");
    let engine = Engine::default();
    // Whatever end is missing, some part ends early.
    for len in (24..bytes.len()).step_by(7) {
        let mut cut = bytes[..len].to_vec();
        let (sum, rest) = (checksum(&cut[24..]), (len - 24) as u64);
        cut[12..16].copy_from_slice(&sum.to_le_bytes());
        cut[16..24].copy_from_slice(&rest.to_le_bytes());
        // SAFETY: it is loading that is tested: it never gets to the code.
        let error = unsafe { Module::deserialize(&engine, &cut) }.unwrap_err().to_string();
        assert!(error.contains("corrupt"), "{len}: {error}");
    }
}

#[test]
fn a_module_without_functions_is_bytes_too() -> Result<()> {
    let engine = Engine::default();
    let bytes = engine.precompile_module(b"(module (memory (export \"m\") 1))")?;
    let module = load(&Config::new(), &bytes)?;
    let mut store = Store::new(module.engine(), ());
    let instance = Instance::new(&mut store, &module, &[])?;
    assert!(instance.get_memory(&mut store, "m").is_some());
    assert!(engine.precompile_module(b"(module (func i32.add))").is_err());
    Ok(())
}
