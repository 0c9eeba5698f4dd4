//! Arities: 0 to 16 parameters and results of mixed types cross the boundary unchanged, in both
//! directions and through every kind of function.

use hostref::{Engine, Extern, Func, FuncType, Instance, Module, Store, Val, ValRaw, ValType};

/// The type at each position, by turns; the first letters are those of the macro below.
const TYPES: [&str; 4] = ["i32", "i64", "f32", "f64"];

fn types(len: usize) -> String {
    (0..len).map(|i| format!(" {}", TYPES[i % 4])).collect()
}

fn val_types(len: usize) -> Vec<ValType> {
    let types = [ValType::I32, ValType::I64, ValType::F32, ValType::F64];
    (0..len).map(|i| types[i % 4].clone()).collect()
}

/// The value at each position: distinct, and with bits set in the upper half of wide types.
fn value(index: usize) -> f64 {
    let sign = if index.is_multiple_of(3) { -1.0 } else { 1.0 };
    match index % 4 {
        0 => sign * (1_000_003 * (index + 1)) as f64,
        1 => sign * ((1_u64 << 40) * (index as u64 + 1)) as f64,
        2 => sign * (index as f64 + 0.25),
        _ => sign * (index as f64 * 1e100 + 0.5),
    }
}

fn val(index: usize) -> Val {
    let value = value(index);
    match index % 4 {
        0 => Val::I32(value as i32),
        1 => Val::I64(value as i64),
        2 => Val::F32((value as f32).to_bits()),
        _ => Val::F64(value.to_bits()),
    }
}

fn number(val: &Val) -> f64 {
    match val {
        Val::I32(value) => f64::from(*value),
        Val::I64(value) => *value as f64,
        Val::F32(bits) => f64::from(f32::from_bits(*bits)),
        Val::F64(bits) => f64::from_bits(*bits),
        other => panic!("only numbers are passed, not {other:?}"),
    }
}

/// What distinguishes any two orders of the same values.
fn checksum(values: impl Iterator<Item = f64>) -> f64 {
    let terms = values.enumerate().map(|(index, value)| value * (index + 1) as f64);
    terms.sum()
}

fn expected(len: usize) -> f64 {
    checksum((0..len).map(value))
}

/// A guest with `sum: (params) -> f64`, `pass: (params) -> (params)`, both through the imports of
/// the same types, and `sum_here`, `pass_here` that involve no import.
fn guest(store: &mut Store<()>, len: usize, sum: Func, pass: Func) -> Instance {
    let types = types(len);
    let gets: String = (0..len).map(|i| format!("(local.get {i})")).collect();
    let mut terms = String::from("(f64.const 0)");
    for i in 0..len {
        let get = match i % 4 {
            0 => format!("(f64.convert_i32_s (local.get {i}))"),
            1 => format!("(f64.convert_i64_s (local.get {i}))"),
            2 => format!("(f64.promote_f32 (local.get {i}))"),
            _ => format!("(local.get {i})"),
        };
        terms = format!("(f64.add {terms} (f64.mul {get} (f64.const {})))", i + 1);
    }
    let wat = format!(
        r#"(module
            (import "" "sum" (func $sum (param{types}) (result f64)))
            (import "" "pass" (func $pass (param{types}) (result{types})))
            (func (export "sum") (param{types}) (result f64) (call $sum {gets}))
            (func (export "pass") (param{types}) (result{types}) (call $pass {gets}))
            (func (export "tail") (param{types}) (result{types}) (return_call $pass {gets}))
            (func (export "sum_here") (param{types}) (result f64) {terms})
            (func (export "pass_here") (param{types}) (result{types}) {gets}))"#
    );
    let module = Module::new(store.engine(), wat).unwrap();
    let imports: [Extern; 2] = [sum.into(), pass.into()];
    Instance::new(store, &module, &imports).unwrap()
}

macro_rules! typed {
    ($($test:ident: $len:literal $($name:ident $ty:ty, $index:literal;)*)=>*) => {$(
        #[test]
        #[allow(unused_parens, clippy::let_unit_value, reason = "one value is no tuple")]
        fn $test() {
            type Values = ($($ty),*);
            let mut store = Store::new(&Engine::default(), ());
            let sum = Func::wrap(&mut store, |$($name: $ty),*| -> f64 {
                let values: [f64; $len] = [$($name as f64),*];
                checksum(values.into_iter())
            });
            #[allow(clippy::unused_unit, reason = "the tuple of no values")]
            let pass = Func::wrap(&mut store, |$($name: $ty),*| -> Values { ($($name),*) });
            let guest = guest(&mut store, $len, sum, pass);
            let values: Values = ($(value($index) as $ty),*);
            let numbers = |($($name),*): Values| -> [f64; $len] { [$($name as f64),*] };
            for name in ["sum", "sum_here"] {
                let sum = guest.get_typed_func::<Values, f64>(&mut store, name).unwrap();
                assert_eq!(sum.call(&mut store, values).unwrap(), expected($len), "{name}");
            }
            for name in ["pass", "pass_here", "tail"] {
                let pass = guest.get_typed_func::<Values, Values>(&mut store, name).unwrap();
                let passed = pass.call(&mut store, values).unwrap();
                assert_eq!(numbers(passed), numbers(values), "{name}");
            }
            let direct = pass.typed::<Values, Values>(&store).unwrap();
            let passed = direct.call(&mut store, values).unwrap();
            assert_eq!(numbers(passed), numbers(values));
            dynamic_calls_agree(&mut store, &guest, $len);
        }
    )*};
}

/// Calls the exports of `guest` with dynamic values and with raw slots.
fn dynamic_calls_agree(store: &mut Store<()>, guest: &Instance, len: usize) {
    let values: Vec<Val> = (0..len).map(val).collect();
    let mut sum = [Val::I32(0)];
    for name in ["sum", "sum_here"] {
        let func = guest.get_func(&mut *store, name).unwrap();
        func.call(&mut *store, &values, &mut sum).unwrap();
        assert_eq!(sum[0].unwrap_f64(), expected(len), "{name}");
    }
    for name in ["pass", "pass_here", "tail"] {
        let func = guest.get_func(&mut *store, name).unwrap();
        let mut results = vec![Val::FuncRef(None); len];
        func.call(&mut *store, &values, &mut results).unwrap();
        let numbers: Vec<f64> = results.iter().map(number).collect();
        assert_eq!(numbers, values.iter().map(number).collect::<Vec<_>>(), "{name}");

        let mut slots: Vec<ValRaw> = values.iter().map(raw).collect();
        // SAFETY: the slots hold arguments of the function's types; it has as many results.
        unsafe { func.call_unchecked(&mut *store, &mut slots).unwrap() };
        for (index, slot) in slots.iter().enumerate() {
            assert_eq!(from_raw(index, *slot), number(&values[index]), "{name} {index}");
        }
    }
}

fn raw(val: &Val) -> ValRaw {
    match val {
        Val::I32(value) => ValRaw::i32(*value),
        Val::I64(value) => ValRaw::i64(*value),
        Val::F32(bits) => ValRaw::f32(*bits),
        Val::F64(bits) => ValRaw::f64(*bits),
        other => panic!("only numbers are passed, not {other:?}"),
    }
}

fn from_raw(index: usize, slot: ValRaw) -> f64 {
    match index % 4 {
        0 => f64::from(slot.get_i32()),
        1 => slot.get_i64() as f64,
        2 => f64::from(f32::from_bits(slot.get_f32())),
        _ => f64::from_bits(slot.get_f64()),
    }
}

typed! {
    arity_0: 0
    => arity_1: 1 a i32, 0;
    => arity_2: 2 a i32, 0; b i64, 1;
    => arity_3: 3 a i32, 0; b i64, 1; c f32, 2;
    => arity_4: 4 a i32, 0; b i64, 1; c f32, 2; d f64, 3;
    => arity_5: 5 a i32, 0; b i64, 1; c f32, 2; d f64, 3; e i32, 4;
    => arity_6: 6 a i32, 0; b i64, 1; c f32, 2; d f64, 3; e i32, 4; f i64, 5;
    => arity_7: 7 a i32, 0; b i64, 1; c f32, 2; d f64, 3; e i32, 4; f i64, 5; g f32, 6;
    => arity_8: 8 a i32, 0; b i64, 1; c f32, 2; d f64, 3; e i32, 4; f i64, 5; g f32, 6; h f64, 7;
    => arity_9: 9 a i32, 0; b i64, 1; c f32, 2; d f64, 3; e i32, 4; f i64, 5; g f32, 6; h f64, 7;
        i i32, 8;
    => arity_10: 10 a i32, 0; b i64, 1; c f32, 2; d f64, 3; e i32, 4; f i64, 5; g f32, 6;
        h f64, 7; i i32, 8; j i64, 9;
    => arity_11: 11 a i32, 0; b i64, 1; c f32, 2; d f64, 3; e i32, 4; f i64, 5; g f32, 6;
        h f64, 7; i i32, 8; j i64, 9; k f32, 10;
    => arity_12: 12 a i32, 0; b i64, 1; c f32, 2; d f64, 3; e i32, 4; f i64, 5; g f32, 6;
        h f64, 7; i i32, 8; j i64, 9; k f32, 10; l f64, 11;
    => arity_13: 13 a i32, 0; b i64, 1; c f32, 2; d f64, 3; e i32, 4; f i64, 5; g f32, 6;
        h f64, 7; i i32, 8; j i64, 9; k f32, 10; l f64, 11; m i32, 12;
    => arity_14: 14 a i32, 0; b i64, 1; c f32, 2; d f64, 3; e i32, 4; f i64, 5; g f32, 6;
        h f64, 7; i i32, 8; j i64, 9; k f32, 10; l f64, 11; m i32, 12; n i64, 13;
    => arity_15: 15 a i32, 0; b i64, 1; c f32, 2; d f64, 3; e i32, 4; f i64, 5; g f32, 6;
        h f64, 7; i i32, 8; j i64, 9; k f32, 10; l f64, 11; m i32, 12; n i64, 13; o f32, 14;
    => arity_16: 16 a i32, 0; b i64, 1; c f32, 2; d f64, 3; e i32, 4; f i64, 5; g f32, 6;
        h f64, 7; i i32, 8; j i64, 9; k f32, 10; l f64, 11; m i32, 12; n i64, 13; o f32, 14;
        p f64, 15;
}

#[test]
fn dynamic_and_unchecked_functions_pass_any_number_of_values() {
    let engine = Engine::default();
    for len in [0, 1, 2, 3, 7, 8, 9, 16, 17, 40] {
        let mut store = Store::new(&engine, ());
        let sum = FuncType::new(&engine, val_types(len), [ValType::F64]);
        let sum = Func::new(&mut store, sum, |_, params, results| {
            results[0] = Val::F64(checksum(params.iter().map(number)).to_bits());
            Ok(())
        });
        let ty = FuncType::new(&engine, val_types(len), val_types(len));
        let pass = Func::new(&mut store, ty.clone(), |_, params, results| {
            results.copy_from_slice(params);
            Ok(())
        });
        let instance = guest(&mut store, len, sum, pass);
        dynamic_calls_agree(&mut store, &instance, len);
        // SAFETY: parameters and results have the same types, so leaving the slots alone is right.
        let pass = unsafe { Func::new_unchecked(&mut store, ty, |_, _| Ok(())) };
        let instance = guest(&mut store, len, sum, pass);
        dynamic_calls_agree(&mut store, &instance, len);
    }
}

#[test]
fn more_results_than_parameters_and_the_reverse_fit_their_slots() {
    let engine = Engine::default();
    let mut store = Store::new(&engine, ());
    let spread = Func::wrap(&mut store, |seed: i32| {
        let at = |i: i32| seed + i;
        (at(0), at(1), at(2), at(3), at(4), at(5), at(6), at(7), at(8), at(9), at(10), at(11))
    });
    let mut results = vec![Val::I32(0); 12];
    spread.call(&mut store, &[Val::I32(5)], &mut results).unwrap();
    let found: Vec<i32> = results.iter().map(Val::unwrap_i32).collect();
    assert_eq!(found, (5..17).collect::<Vec<_>>());
    let ty = FuncType::new(&engine, [ValType::I64], val_types(12));
    let wide = Func::new(&mut store, ty, |_, params, results| {
        for (index, result) in results.iter_mut().enumerate() {
            *result = val(index);
        }
        assert_eq!(params[0].unwrap_i64(), -1);
        Ok(())
    });
    wide.call(&mut store, &[Val::I64(-1)], &mut results).unwrap();
    assert_eq!(checksum(results.iter().map(number)), expected(12));
}
