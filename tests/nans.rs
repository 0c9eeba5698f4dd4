//! NaNs under `Config::cranelift_nan_canonicalization`: the same bits from every operator, however its
//! function is compiled.

use hostref::{Config, Engine, Instance, Module, OptLevel, Result, Store, TypedFunc, V128};

/// The operators whose NaNs WebAssembly leaves open, by the type that they work on.
const UNARY: [&str; 5] = ["sqrt", "ceil", "floor", "trunc", "nearest"];
const BINARY: [&str; 6] = ["add", "sub", "mul", "div", "min", "max"];

/// A NaN with a sign and a payload: no operator may show them.
const F32: u32 = 0xffc1_2345;
const F64: u64 = 0xfff8_1234_5678_9abc;

/// `lane` in all lanes of a vector.
fn splat32(lane: u32) -> u128 {
    u128::from(lane) * (1 << 96 | 1 << 64 | 1 << 32 | 1)
}

fn splat64(lane: u64) -> u128 {
    u128::from(lane) * (1 << 64 | 1)
}

/// Each case is an export of its own, whose operands are vectors of NaNs and whose result is a vector.
fn cases() -> Vec<(String, u128, u128)> {
    let (canonical32, canonical64) = (splat32(0x7fc0_0000), splat64(0x7ff8 << 48));
    let mut cases = Vec::new();
    for op in UNARY {
        cases.push((format!("(f32x4.{op} (local.get 0))"), splat32(F32), canonical32));
        cases.push((format!("(f64x2.{op} (local.get 0))"), splat64(F64), canonical64));
        let scalar = |ty, shape| {
            format!("({shape}.splat ({ty}.{op} ({shape}.extract_lane 0 (local.get 0))))")
        };
        cases.push((scalar("f32", "f32x4"), splat32(F32), canonical32));
        cases.push((scalar("f64", "f64x2"), splat64(F64), canonical64));
    }
    for op in BINARY {
        let operands = "(local.get 0) (local.get 0)";
        cases.push((format!("(f32x4.{op} {operands})"), splat32(F32), canonical32));
        cases.push((format!("(f64x2.{op} {operands})"), splat64(F64), canonical64));
        let scalar = |ty, shape| {
            let operand = format!("({shape}.extract_lane 0 (local.get 0))");
            format!("({shape}.splat ({ty}.{op} {operand} {operand}))")
        };
        cases.push((scalar("f32", "f32x4"), splat32(F32), canonical32));
        cases.push((scalar("f64", "f64x2"), splat64(F64), canonical64));
    }
    for op in ["relaxed_madd", "relaxed_nmadd"] {
        let operands = "(local.get 0) (local.get 0) (local.get 0)";
        cases.push((format!("(f32x4.{op} {operands})"), splat32(F32), canonical32));
        cases.push((format!("(f64x2.{op} {operands})"), splat64(F64), canonical64));
    }
    for (body, operand, result) in [
        (
            "(f64x2.splat (f64.promote_f32 (f32x4.extract_lane 0 (local.get 0))))",
            splat32(F32),
            canonical64,
        ),
        (
            "(f32x4.splat (f32.demote_f64 (f64x2.extract_lane 0 (local.get 0))))",
            splat64(F64),
            canonical32,
        ),
        ("(f64x2.promote_low_f32x4 (local.get 0))", splat32(F32), canonical64),
        (
            "(f32x4.demote_f64x2_zero (local.get 0))",
            splat64(F64),
            canonical32 & u128::from(u64::MAX),
        ),
    ] {
        cases.push((body.to_owned(), operand, result));
    }
    cases
}

/// The results of all cases in an engine with these settings.
fn results(config: &Config) -> Result<Vec<u128>> {
    let engine = Engine::new(config)?;
    let cases = cases();
    let functions = cases.iter().enumerate().map(|(number, (body, ..))| {
        format!("(func (export \"{number}\") (param v128) (result v128) {body})")
    });
    let wat = format!("(module {})", functions.collect::<String>());
    let mut store = Store::new(&engine, ());
    let instance = Instance::new(&mut store, &Module::new(&engine, wat)?, &[])?;
    let mut results = Vec::new();
    for (number, (_, operand, _)) in cases.iter().enumerate() {
        let run: TypedFunc<V128, V128> =
            instance.get_typed_func(&mut store, &number.to_string())?;
        results.push(run.call(&mut store, V128::from(*operand))?.as_u128());
    }
    Ok(results)
}

#[test]
fn every_operator_yields_the_canonical_nan() -> Result<()> {
    for level in [OptLevel::None, OptLevel::Speed] {
        let mut config = Config::new();
        config.cranelift_opt_level(level).cranelift_nan_canonicalization(true);
        for ((body, operand, expected), result) in cases().iter().zip(results(&config)?) {
            assert_eq!(result, *expected, "{body} of {operand:x} is {result:x}");
        }
    }
    Ok(())
}

#[test]
fn by_default_nans_keep_what_the_processor_gives_them() -> Result<()> {
    let same = cases()
        .into_iter()
        .zip(results(&Config::new())?)
        .filter(|((.., canonical), found)| canonical == found);
    assert_eq!(same.count(), 0);
    Ok(())
}

#[test]
fn what_is_no_arithmetic_keeps_the_bits() -> Result<()> {
    let engine = Engine::new(Config::new().cranelift_nan_canonicalization(true))?;
    let wat = r#"
        (module
            (func (export "same") (param f32) (result i32) (i32.reinterpret_f32 (local.get 0)))
            (func (export "neg") (param f32) (result i32)
                (i32.reinterpret_f32 (f32.neg (local.get 0)))))
    "#;
    let mut store = Store::new(&engine, ());
    let instance = Instance::new(&mut store, &Module::new(&engine, wat)?, &[])?;
    for (name, expected) in [("same", F32), ("neg", F32 ^ 1 << 31)] {
        let run = instance.get_typed_func::<f32, u32>(&mut store, name)?;
        assert_eq!(run.call(&mut store, f32::from_bits(F32))?, expected, "{name}");
    }
    Ok(())
}
