//! Modules that use what an engine does not allow are refused with the switch that would allow it,
//! and the place.

use hostref::{Config, Engine, Module};

/// A switch by name, how to set it, and a module that needs it.
type Case = (&'static str, Switch, &'static str);
type Switch = fn(&mut Config, bool) -> &mut Config;

const CASES: &[Case] = &[
    ("wasm_reference_types", Config::wasm_reference_types, "(module (func (param externref)))"),
    (
        "wasm_bulk_memory",
        Config::wasm_bulk_memory,
        r#"(module (memory 1) (data "a") (func (memory.init 0 (i32.const 0) (i32.const 0) (i32.const 0))))"#,
    ),
    (
        "wasm_multi_value",
        Config::wasm_multi_value,
        "(module (func (result i32 i32) (i32.const 1) (i32.const 2)))",
    ),
    ("wasm_multi_memory", Config::wasm_multi_memory, "(module (memory 1) (memory 1))"),
    ("wasm_tail_call", Config::wasm_tail_call, "(module (func $f (return_call $f)))"),
    ("wasm_exceptions", Config::wasm_exceptions, "(module (func (try_table)))"),
    (
        "wasm_extended_const",
        Config::wasm_extended_const,
        "(module (global i32 (i32.add (i32.const 1) (i32.const 2))))",
    ),
    ("wasm_simd", Config::wasm_simd, "(module (func (param v128)))"),
    (
        "wasm_relaxed_simd",
        Config::wasm_relaxed_simd,
        "(module (func (param v128) (result v128)
            (i8x16.relaxed_swizzle (local.get 0) (local.get 0))))",
    ),
    (
        "wasm_function_references",
        Config::wasm_function_references,
        "(module (type $t (func)) (func (param (ref $t)) (call_ref $t (local.get 0))))",
    ),
    ("wasm_memory64", Config::wasm_memory64, "(module (memory i64 1))"),
    ("wasm_threads", Config::wasm_threads, "(module (memory 1 1 shared))"),
    ("wasm_custom_page_sizes", Config::wasm_custom_page_sizes, "(module (memory 1 (pagesize 1)))"),
    (
        "wasm_wide_arithmetic",
        Config::wasm_wide_arithmetic,
        "(module (func (param i64) (result i64 i64)
            (i64.mul_wide_s (local.get 0) (local.get 0))))",
    ),
];

fn engine(set: Switch, on: bool) -> Engine {
    let mut config = Config::new();
    set(&mut config, on);
    Engine::new(&config).unwrap()
}

#[test]
fn a_module_is_refused_with_the_switch_that_would_allow_it() {
    for (name, set, wat) in CASES {
        let wasm = wat::parse_str(wat).unwrap();
        let refused = engine(*set, false);
        for error in [
            Module::new(&refused, &wasm).err().unwrap_or_else(|| panic!("`{name}` is off: {wat}")),
            Module::validate(&refused, &wasm).expect_err(name),
        ] {
            let text = error.to_string();
            assert!(text.contains(&format!("`Config::{name}`")), "{name}: {text}");
            assert!(text.contains("at offset 0x"), "{name}: {text}");
        }
        let allowed = engine(*set, true);
        Module::new(&allowed, &wasm).unwrap_or_else(|error| panic!("`{name}` is on: {error:#}"));
        Module::validate(&allowed, &wasm).unwrap();
    }
}

#[test]
fn every_switch_has_a_case() {
    let source = std::fs::read_to_string("runtime/src/api/engine.rs").unwrap();
    let switches: Vec<&str> = source
        .lines()
        .filter_map(|line| {
            line.trim().strip_prefix("pub fn ")?.strip_suffix(", enable: bool) -> &mut Config {")
        })
        .filter_map(|line| line.strip_suffix("(&mut self").filter(|name| name.starts_with("wasm_")))
        .filter(|name| *name != "wasm_backtrace")
        .collect();
    let cases: Vec<&str> = CASES.iter().map(|case| case.0).collect();
    assert_eq!(switches, cases);
}

#[test]
fn an_invalid_module_names_no_switch() {
    let engine = Engine::new(Config::new().wasm_tail_call(false)).unwrap();
    for wat in ["(module (func (result i32)))", "(module (func (drop)) (func $f (return_call $f)))"]
    {
        let error = Module::new(&engine, wat).unwrap_err();
        assert!(!format!("{error:#}").contains("Config::"), "{error:#}");
    }
}

#[test]
fn legacy_exceptions_are_refused_by_name() {
    let body = |code: &[u8]| {
        let mut wasm =
            b"\0asm\x01\0\0\0\x01\x04\x01\x60\0\0\x03\x02\x01\0\x0d\x03\x01\0\0\x0a".to_vec();
        let len = u8::try_from(code.len()).unwrap();
        wasm.extend([len + 4, 1, len + 2, 0]);
        wasm.extend(code);
        wasm.push(0x0b);
        wasm
    };
    let engine = Engine::default();
    for code in [
        // try .. catch_all .. end, with rethrow; try .. delegate; try .. catch $tag .. end
        &[0x06, 0x40, 0x19, 0x09, 0, 0x0b][..],
        &[0x06, 0x40, 0x18, 0],
        &[0x06, 0x40, 0x07, 0, 0x0b],
    ] {
        let text = Module::new(&engine, body(code)).unwrap_err().to_string();
        assert!(text.contains("legacy exceptions"), "{text}");
        assert!(text.contains("at offset 0x1c"), "{text}");
    }
}
