//! Functions at and beyond the limits of compilation: they work, or there is an error that names the
//! function and the limit. Nothing takes long, nothing takes much memory.

use hostref::{Config, Engine, Instance, Module, Result, Store};

fn run(wat: &str) -> Result<i32> {
    let engine = Engine::default();
    let module = Module::new(&engine, wat)?;
    let mut store = Store::new(&engine, ());
    let instance = Instance::new(&mut store, &module, &[])?;
    instance.get_typed_func::<(), i32>(&mut store, "f")?.call(&mut store, ())
}

/// A module with an exported function of this body, and things to use, which are not inlined.
fn module(body: &str) -> String {
    let thousand = "i64 ".repeat(1000);
    format!(
        r#"(module (memory 1) (type $many (func (param {thousand}) (result {thousand})))
            (type $results (func (result {thousand})))
            (func $f (export "f") (result i32) {body})
            (func $same (type $many) (loop (br 0)) (unreachable))
            (func $make (type $results) (loop (br 0)) (unreachable))
            (func $new (result externref) (ref.null extern))
            (func $use (param externref)))"#
    )
}

fn body(body: &str) -> Result<i32> {
    run(&module(body))
}

fn refused(code: &str) -> String {
    format!("{:#}", body(code).expect_err("the function exceeds a limit"))
}

fn repeat(count: usize, code: impl Fn(usize) -> String) -> String {
    (0..count).map(code).collect()
}

#[test]
fn a_large_body_works() {
    // More than half a megabyte: compiled quickly.
    let step = "(local.set 0 (i32.xor (i32.add (local.get 0) (i32.const 3)) (i32.const 7)))";
    let count = 70_000;
    let expected = (0..count).fold(0_i32, |value, _| value.wrapping_add(3) ^ 7);
    let code = format!("(local i32) {} (local.get 0)", step.repeat(count));
    assert_eq!(body(&code).unwrap(), expected);
}

#[test]
fn many_locals_in_many_blocks_work() {
    // The locals live in the frame.
    let (locals, blocks) = (4_000, 5_000);
    let code = format!(
        "(local {}) {} {}",
        "i32 ".repeat(locals),
        repeat(blocks, |i| {
            let (a, b) = (i * 7 % locals, i * 13 % locals);
            format!(
                "(if (i32.eqz (local.get {a})) (then
                    (local.set {b} (i32.add (local.get {b}) (i32.const 1)))))"
            )
        }),
        (1..locals).fold("(local.get 0)".to_owned(), |sum, i| {
            format!("{sum} (local.get {i}) (i32.add)")
        }),
    );
    let mut values = vec![0; locals];
    for i in 0..blocks {
        if values[i * 7 % locals] == 0 {
            values[i * 13 % locals] += 1;
        }
    }
    assert_eq!(body(&code).unwrap(), values.iter().sum::<i32>());
}

#[test]
fn references_and_vectors_keep_their_values_among_locals_in_the_frame() {
    let code = format!(
        "(local externref v128 f64 funcref {}) {}
        (local.set 0 (call $new))
        (local.set 1 (i32x4.splat (i32.const 5)))
        (local.set 2 (f64.const 2))
        (call $use (local.get 0))
        (i32.add (i32.add (i32x4.extract_lane 3 (local.get 1)) (i32.trunc_f64_s (local.get 2)))
            (i32.add (ref.is_null (local.get 0)) (ref.is_null (local.get 3))))",
        "i32 ".repeat(4_000),
        "(if (local.get 9) (then (local.set 9 (i32.const 1))))".repeat(5_000),
    );
    assert_eq!(body(&code).unwrap(), 5 + 2 + 1 + 1);
}

#[test]
fn many_values_on_the_operand_stack_work() {
    let count = 10_000;
    let code = format!(
        "{} {}",
        repeat(count, |i| format!("(i32.load (i32.const {})) ", i * 4)),
        "i32.add ".repeat(count - 1)
    );
    assert_eq!(body(&code).unwrap(), 0);
}

#[test]
fn too_many_values_live_in_too_many_blocks_are_refused() {
    let count = 15_000;
    let code = format!(
        "{} {} {}",
        repeat(count, |i| format!("(i32.load (i32.const {})) ", i * 4)),
        "(if (i32.load (i32.const 0)) (then)) ".repeat(count),
        "i32.add ".repeat(count - 1)
    );
    let text = refused(&code);
    assert!(text.starts_with("function 0 (`f`) has more than 33554432 live values"), "{text}");
}

#[test]
fn canonical_nans_are_among_the_values_of_a_function() {
    let code = |terms: usize| {
        let sum = "(f32.add (local.get 0)) ".repeat(terms);
        module(&format!("(local f32) (local.get 0) {sum} i32.trunc_f32_s"))
    };
    let engine = Engine::new(Config::new().cranelift_nan_canonicalization(true)).unwrap();
    assert!(Module::new(&engine, code(1_000)).is_ok());
    let text = format!("{:#}", Module::new(&engine, code(1_100_000)).unwrap_err());
    let limit = "function 0 (`f`) needs more than 8388608 values to have canonical NaNs";
    assert!(text.starts_with(limit), "{text}");
}

#[test]
fn operators_that_stand_for_a_thousand_values_are_bounded() {
    let zeros = "(i64.const 0)".repeat(1000);
    let text = refused(&format!("{zeros} {} unreachable", "(call $same)".repeat(9_000)));
    assert!(text.starts_with("function 0 (`f`) needs more than 8388608 values"), "{text}");
    let text = refused(&format!("{zeros} {} unreachable", "(loop (type $many))".repeat(9_000)));
    assert!(text.starts_with("function 0 (`f`) needs more than 8388608 values"), "{text}");
    let text = refused(&format!(
        "(block (type $results) {zeros} {} ) unreachable",
        "(br_if 0 (i32.const 0))".repeat(35_000)
    ));
    assert!(text.contains("passes more than 33554432 arguments"), "{text}");
    // Where control never gets, only validation keeps them.
    let text = refused(&format!("unreachable {}", "(call $make)".repeat(5_000)));
    assert!(text.starts_with("more than 4194304 values on the operand stack"), "{text}");
    assert!(text.contains("at offset 0x"), "{text}");
    let wasm = wat::parse_str(module(&format!("unreachable {}", "(call $make)".repeat(5_000))));
    assert!(Module::validate(&Engine::default(), &wasm.unwrap()).is_err());
}

#[test]
fn references_live_across_many_calls_are_bounded() {
    let code = |locals: usize, calls: usize| {
        format!(
            "(local {}) {} {} {} (i32.const 3)",
            "externref ".repeat(locals),
            repeat(locals, |i| format!("(local.set {i} (call $new))")),
            "(call $use (ref.null extern))".repeat(calls),
            repeat(locals, |i| format!("(call $use (local.get {i}))")),
        )
    };
    assert_eq!(body(&code(100, 1_000)).unwrap(), 3);
    let text = refused(&code(5_000, 5_000));
    assert!(text.contains("live references, over all blocks and calls"), "{text}");
}

#[test]
fn loops_nest_deeply() {
    let depth = 20_000;
    let deep = |local: &str, use_local: &str| {
        format!(
            "(local i32 {local}) {} {} (local.get 0)",
            "loop ".repeat(depth),
            repeat(depth, |_| format!(
                "(local.set 0 (i32.add (local.get 0) (i32.const 1))) {use_local}
                 (br_if 0 (i32.const 0)) end "
            ))
        )
    };
    assert_eq!(body(&deep("", "")).unwrap(), 20_000);
    let text = refused(&deep("externref", "(call $use (local.get 1))"));
    assert!(text.contains("has references in more than 134217728 open loops"), "{text}");
}

#[test]
fn long_branch_tables_work() {
    let entries = "0 1 ".repeat(100_000);
    let code = format!(
        "(block (block (br_table {entries} 1 (i32.const 150001))) (return (i32.const 8)))
         (i32.const 9)"
    );
    assert_eq!(body(&code).unwrap(), 9);
}

#[test]
fn many_cold_paths_work_in_a_large_function() {
    // Each division has one, which uses its operands.
    let code = format!(
        "(local i32 i32) (local.set 0 (i32.const 1000000007))
        {} (local.get 0)",
        "(local.set 1 (i32.add (i32.load (i32.const 0)) (i32.const 1)))
         (local.set 0 (i32.div_s (local.get 0) (local.get 1)))
         (if (i32.eqz (local.get 0)) (then (return (local.get 1))))"
            .repeat(25_000)
    );
    assert_eq!(body(&code).unwrap(), 1_000_000_007);
}

#[test]
fn limits_of_the_decoder_are_errors() {
    let locals = |count: usize| format!("(local {}) (i32.const 0)", "i32 ".repeat(count));
    assert_eq!(body(&locals(50_000)).unwrap(), 0);
    let cases = [
        (module(&locals(50_001)), "locals"),
        (format!("(module (func (param {})))", "i32 ".repeat(1_001)), "params"),
        (format!("(module (func (result {}) unreachable))", "i32 ".repeat(1_001)), "returns"),
        (format!("(module {})", "(memory 0)".repeat(101)), "memories"),
        (format!("(module {})", "(table 0 funcref)".repeat(100_001)), "tables"),
        (module(&format!("{} (i32.const 0)", "nop ".repeat(7_654_321))), "function body size"),
    ];
    for (wat, what) in cases {
        let text = format!("{:#}", run(&wat).expect_err(what));
        assert!(text.contains(what), "{what}: {text}");
        assert!(text.contains("at offset 0x"), "{what}: {text}");
    }
}
