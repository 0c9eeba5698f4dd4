//! `v128` across the host boundary, in every position in which a value can cross it, and the
//! switches of the feature.

use hostref::{
    Caller, Config, Engine, ExternRef, Func, FuncType, Global, GlobalType, Instance, Linker,
    Module, Mutability, Result, Rooted, Store, Trap, V128, Val, ValType, WasmTy, host_module,
    wasm_exports,
};

fn instance<T: 'static>(store: &mut Store<T>, wat: &str, linker: &Linker<T>) -> Instance {
    let module = Module::new(store.engine(), wat).unwrap();
    linker.instantiate(store, &module).unwrap()
}

fn store() -> (Store<()>, Linker<()>) {
    let engine = Engine::default();
    (Store::new(&engine, ()), Linker::new(&engine))
}

/// A vector of which every 32-bit lane is different, and different for every `n`.
fn vector(n: u32) -> V128 {
    let lane = |lane: u32| u128::from(0x2001_0000 * (lane + 1) + n) << (32 * lane);
    V128::from((0..4).map(lane).sum::<u128>())
}

/// `i32x4.add`, for what a guest is expected to compute.
fn add(a: V128, b: V128) -> V128 {
    let lane = |value: V128, lane: u32| (value.as_u128() >> (32 * lane)) as u32;
    let sum = |i: u32| u128::from(lane(a, i).wrapping_add(lane(b, i))) << (32 * i);
    V128::from((0..4).map(sum).sum::<u128>())
}

const ADD: &str = r#"(module
    (func (export "add") (param v128 v128) (result v128)
        (i32x4.add (local.get 0) (local.get 1))))"#;

#[test]
fn typed_and_untyped_calls_pass_vectors_in_and_out() {
    let (mut store, linker) = store();
    let guest = instance(&mut store, ADD, &linker);
    let (a, b) = (vector(1), vector(2));

    let typed = guest.get_typed_func::<(V128, V128), V128>(&mut store, "add").unwrap();
    assert_eq!(typed.call(&mut store, (a, b)).unwrap(), add(a, b));

    let untyped = guest.get_func(&mut store, "add").unwrap();
    let mut results = [Val::I32(0)];
    untyped.call(&mut store, &[a.into(), b.as_u128().into()], &mut results).unwrap();
    assert_eq!(results[0].unwrap_v128(), add(a, b));
    assert_eq!(results[0].ty(&store).unwrap().to_string(), "v128");
    assert_eq!((results[0].v128(), results[0].i64()), (Some(add(a, b)), None));
}

#[test]
fn a_vector_is_no_number_and_no_number_is_a_vector() {
    let (mut store, linker) = store();
    let guest = instance(&mut store, ADD, &linker);
    let error = guest.get_typed_func::<(V128, i64), V128>(&mut store, "add").unwrap_err();
    assert!(format!("{error:#}").contains("expected i64, found v128"), "{error:#}");
    let untyped = guest.get_func(&mut store, "add").unwrap();
    let params = [vector(1).into(), Val::I64(1)];
    let error = untyped.call(&mut store, &params, &mut [Val::I32(0)]).unwrap_err();
    assert!(format!("{error:#}").contains("expected v128, found i64"), "{error:#}");
}

#[test]
fn lane_0_is_in_the_low_bits() {
    let (mut store, linker) = store();
    let guest = instance(
        &mut store,
        r#"(module (memory (export "m") 1)
            (global (export "g") v128 (v128.const i16x8 0 1 2 3 4 5 6 7))
            (func (export "lanes") (param v128) (result i32 f64)
                (v128.store (i32.const 3) (local.get 0))
                (i8x16.extract_lane_s 0 (local.get 0)) (f64x2.extract_lane 1 (local.get 0))))"#,
        &linker,
    );
    let lanes = guest.get_typed_func::<V128, (i32, f64)>(&mut store, "lanes").unwrap();
    let value = u128::from(2.5f64.to_bits()) << 64 | 0xfe;
    assert_eq!(lanes.call(&mut store, value.into()).unwrap(), (-2, 2.5));
    let memory = guest.get_memory(&mut store, "m").unwrap();
    assert_eq!(memory.data(&store)[3..19], value.to_le_bytes());
    let global = guest.get_global(&mut store, "g").unwrap().get(&mut store).unwrap_v128();
    assert_eq!(global.as_u128(), 0x0007_0006_0005_0004_0003_0002_0001_0000);
}

/// `(param ..)`, `(result ..)` or `(local.get ..)` for a function with vectors between numbers.
const MIXED: &str = "v128 i32 v128 f64 v128 v128 v128 v128 f32 v128 v128 i64 v128 v128 v128 v128";

type Mixed =
    (V128, i32, V128, f64, V128, V128, V128, V128, f32, V128, V128, i64, V128, V128, V128, V128);

fn mixed() -> Mixed {
    let v = vector;
    (
        v(1),
        -2,
        v(3),
        4.5,
        v(5),
        v(6),
        v(7),
        v(8),
        9.5,
        v(10),
        v(11),
        -12,
        v(13),
        v(14),
        v(15),
        v(16),
    )
}

/// A guest whose `f` passes its arguments to the import `host.f`, and returns its results.
fn relay() -> String {
    let get: String = (0..16).map(|local| format!("(local.get {local}) ")).collect();
    format!(
        r#"(module
            (import "host" "f" (func $f (param {MIXED}) (result {MIXED})))
            (type $f (func (param {MIXED}) (result {MIXED})))
            (table funcref (elem $again))
            (func $again (param {MIXED}) (result {MIXED}) (call $f {get}))
            (func $tail (param {MIXED}) (result {MIXED}) (return_call $f {get}))
            (func (export "grow") (param v128) (result {MIXED})
                (return_call $tail
                    (local.get 0) (i32.const -2) (i8x16.splat (i32.const 3)) (f64.const 4.5)
                    (i8x16.splat (i32.const 5)) (i8x16.splat (i32.const 6))
                    (i8x16.splat (i32.const 7)) (i8x16.splat (i32.const 8)) (f32.const 9.5)
                    (i8x16.splat (i32.const 10)) (i8x16.splat (i32.const 11)) (i64.const -12)
                    (i8x16.splat (i32.const 13)) (i8x16.splat (i32.const 14))
                    (i8x16.splat (i32.const 15)) (i8x16.splat (i32.const 16))))
            (func (export "f") (param {MIXED}) (result {MIXED})
                (call_indirect (type $f) {get} (i32.const 0))))"#
    )
}

/// Sixteen parameters and results, twelve of them vectors, through typed entries and exits.
#[test]
fn vectors_beyond_the_registers_are_passed_on_the_stack_in_both_directions() {
    let (mut store, mut linker) = store();
    #[rustfmt::skip]
    linker.func_wrap("host", "f", |
        a: V128, b: i32, c: V128, d: f64, e: V128, f: V128, g: V128, h: V128,
        i: f32, j: V128, k: V128, l: i64, m: V128, n: V128, o: V128, p: V128,
    | (a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p)).unwrap();
    let guest = instance(&mut store, &relay(), &linker);
    let call = guest.get_typed_func::<Mixed, Mixed>(&mut store, "f").unwrap();
    let results = call.call(&mut store, mixed()).unwrap();
    assert_eq!(format!("{:?}", values(results)), format!("{:?}", values(mixed())));

    let grow = guest.get_typed_func::<V128, Mixed>(&mut store, "grow").unwrap();
    let results = grow.call(&mut store, vector(1)).unwrap();
    let splat = |byte: u8| V128::from(u128::from_le_bytes([byte; 16]));
    assert_eq!((results.0, results.1, results.2, results.3), (vector(1), -2, splat(3), 4.5));
    assert_eq!((results.8, results.11, results.15), (9.5, -12, splat(16)));
}

fn values((a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p): Mixed) -> Vec<Val> {
    #[rustfmt::skip]
    let values: [Val; 16] = [
        a.into(), b.into(), c.into(), d.into(), e.into(), f.into(), g.into(), h.into(),
        i.into(), j.into(), k.into(), l.into(), m.into(), n.into(), o.into(), p.into(),
    ];
    values.into()
}

/// Through arrays of slots on both sides.
#[test]
fn untyped_host_functions_take_and_return_vectors() {
    let (mut store, mut linker) = store();
    let types: Vec<ValType> = values(mixed()).iter().map(|v| v.ty(&store).unwrap()).collect();
    let ty = FuncType::new(store.engine(), types.clone(), types);
    let host = Func::new(&mut store, ty, |_: Caller<'_, ()>, params, results| {
        assert_eq!(results[0].v128(), Some(V128::default()));
        results.copy_from_slice(params);
        results[15] = add(params[15].unwrap_v128(), params[0].unwrap_v128()).into();
        Ok(())
    });
    linker.define(&mut store, "host", "f", host).unwrap();
    let guest = instance(&mut store, &relay(), &linker);
    let call = guest.get_func(&mut store, "f").unwrap();
    let mut results = vec![Val::I32(0); 16];
    call.call(&mut store, &values(mixed()), &mut results).unwrap();
    let mut expected = mixed();
    expected.15 = add(expected.15, expected.0);
    assert_eq!(format!("{results:?}"), format!("{:?}", values(expected)));
}

#[test]
fn globals_hold_vectors_that_both_sides_read_and_write() {
    let (mut store, mut linker) = store();
    let global = |store: &mut Store<()>, mutability, value| {
        let ty = GlobalType::new(ValType::V128, mutability);
        Global::new(store, ty, Val::V128(value)).unwrap()
    };
    let constant = global(&mut store, Mutability::Const, vector(1));
    let variable = global(&mut store, Mutability::Var, vector(2));
    linker.define(&mut store, "host", "constant", constant).unwrap();
    linker.define(&mut store, "host", "variable", variable).unwrap();
    let guest = instance(
        &mut store,
        r#"(module
            (import "host" "constant" (global $constant v128))
            (import "host" "variable" (global $variable (mut v128)))
            (global $byte (mut i32) (i32.const 1))
            (global (export "copy") v128 (global.get $constant))
            (global $own (export "own") (mut v128) (v128.const i64x2 1 2))
            (func (export "add")
                (global.set $own (i32x4.add (global.get $own) (global.get $constant)))
                (global.set $variable (i32x4.add (global.get $variable) (global.get $own)))))"#,
        &linker,
    );
    let copy = guest.get_global(&mut store, "copy").unwrap();
    assert_eq!(copy.get(&mut store).unwrap_v128(), vector(1));
    let own = guest.get_global(&mut store, "own").unwrap();
    assert_eq!(own.get(&mut store).unwrap_v128(), V128::from(2 << 64 | 1));

    own.set(&mut store, vector(3).into()).unwrap();
    guest.get_typed_func::<(), ()>(&mut store, "add").unwrap().call(&mut store, ()).unwrap();
    let sum = add(vector(3), vector(1));
    assert_eq!(own.get(&mut store).unwrap_v128(), sum);
    assert_eq!(variable.get(&mut store).unwrap_v128(), add(vector(2), sum));

    let error = own.set(&mut store, Val::I32(1)).unwrap_err();
    assert!(format!("{error:#}").contains("expected v128, found i32"), "{error:#}");
    assert!(constant.set(&mut store, vector(1).into()).is_err());
}

/// References next to vectors: the collector moves the former at every call and leaves the latter.
#[test]
fn vectors_survive_calls_that_collect() {
    let engine = Engine::new(Config::new().gc_stress(true)).unwrap();
    let mut store = Store::new(&engine, ());
    let mut linker = Linker::new(&engine);
    linker
        .func_wrap("host", "new", |mut cx: Caller<'_, ()>, lane: i32| ExternRef::new(&mut cx, lane))
        .unwrap();
    linker
        .func_wrap(
            "host",
            "get",
            |cx: Caller<'_, ()>, v: V128, r: Rooted<ExternRef>| -> Result<V128> {
                let number: i32 = *r.data(&cx)?.downcast_ref().expect("made by `new`");
                Ok(add(v, vector(number as u32)))
            },
        )
        .unwrap();
    let guest = instance(
        &mut store,
        r#"(module
            (import "host" "new" (func $new (param i32) (result externref)))
            (import "host" "get" (func $get (param v128 externref) (result v128)))
            (func (export "run") (param $v v128) (param $n i32) (result v128 externref)
                (local $first externref)
                (local.set $first (call $new (i32.const 7)))
                (local.get $v)
                (loop $again (param v128) (result v128)
                    (call $get (call $new (local.get $n)))
                    (i32x4.add (local.get $v))
                    (br_if $again
                        (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
                (local.get $first)))"#,
        &linker,
    );
    let run =
        guest.get_typed_func::<(V128, i32), (V128, Rooted<ExternRef>)>(&mut store, "run").unwrap();
    let (sum, first) = run.call(&mut store, (vector(100), 20)).unwrap();
    let mut expected = vector(100);
    for n in (1..=20).rev() {
        expected = add(add(expected, vector(n)), vector(100));
    }
    assert_eq!(sum, expected);
    assert_eq!(first.data(&store).unwrap().downcast_ref::<i32>(), Some(&7));
}

#[test]
fn failures_of_functions_with_vector_results_arrive() {
    let (mut store, mut linker) = store();
    linker.func_wrap("host", "f", || -> Result<V128> { Err(Trap::Interrupt.into()) }).unwrap();
    let guest = instance(
        &mut store,
        r#"(module (import "host" "f" (func $f (result v128))) (memory 1)
            (func (export "host") (result v128) (call $f))
            (func (export "load") (param i32) (result v128) (v128.load32_zero (local.get 0)))
            (func (export "store") (param i32 v128) (result v128 v128)
                (v128.store (local.get 0) (local.get 1)) (local.get 1) (local.get 1)))"#,
        &linker,
    );
    let host = guest.get_typed_func::<(), V128>(&mut store, "host").unwrap();
    let load = guest.get_typed_func::<i32, V128>(&mut store, "load").unwrap();
    let write = guest.get_typed_func::<(i32, V128), (V128, V128)>(&mut store, "store").unwrap();
    let error = host.call(&mut store, ()).unwrap_err();
    assert_eq!(error.downcast_ref(), Some(&Trap::Interrupt));
    assert_eq!(load.call(&mut store, 65532).unwrap(), V128::from(0));
    let error = load.call(&mut store, 65533).unwrap_err();
    assert_eq!(error.downcast_ref(), Some(&Trap::MemoryOutOfBounds));
    let error = write.call(&mut store, (65521, vector(1))).unwrap_err();
    assert_eq!(error.downcast_ref(), Some(&Trap::MemoryOutOfBounds));
    let written = write.call(&mut store, (65519, vector(1))).unwrap();
    assert_eq!(written, (vector(1), vector(1)));
}

/// Four floats, as a type of the embedder's own.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Color([f32; 4]);

impl WasmTy for Color {
    type Wasm = V128;

    fn into_wasm(self) -> V128 {
        let bits =
            self.0.iter().rev().fold(0, |bits, lane| bits << 32 | u128::from(lane.to_bits()));
        V128::from(bits)
    }

    fn try_from_wasm(wasm: V128) -> Result<Color> {
        let lane = |lane: u32| f32::from_bits((wasm.as_u128() >> (32 * lane)) as u32);
        Ok(Color([lane(0), lane(1), lane(2), lane(3)]))
    }
}

#[derive(Clone, Copy, Debug, PartialEq, WasmTy)]
struct Mask(V128);

struct Palette;

#[host_module(name = "palette")]
impl Palette {
    fn brighten(color: Color, by: f32, mask: Mask) -> (Color, Mask) {
        (Color(color.0.map(|lane| lane + by)), Mask((!mask.0.as_u128()).into()))
    }
}

#[wasm_exports]
struct Shader {
    shade: fn(color: Color, mask: V128) -> (Color, V128),
}

#[test]
fn macros_take_vectors_and_types_made_of_them() {
    let (mut store, mut linker) = store();
    Palette::add_to_linker(&mut linker).unwrap();
    let wat = r#"(module
        (import "palette" "brighten"
            (func $brighten (param v128 f32 v128) (result v128 v128)))
        (func (export "shade") (param v128 v128) (result v128 v128)
            (call $brighten
                (f32x4.mul (local.get 0) (f32x4.splat (f32.const 2))) (f32.const 0.5)
                (local.get 1))))"#;
    let module = Module::new(store.engine(), wat).unwrap();
    let shader = Shader::instantiate(&mut store, &module, &linker).unwrap();
    let (color, mask) =
        shader.call_shade(&mut store, Color([1.0, -2.0, 0.25, 8.0]), vector(1)).unwrap();
    assert_eq!(color, Color([2.5, -3.5, 1.0, 16.5]));
    assert_eq!(mask.as_u128(), !vector(1).as_u128());
}

const RELAXED: &str = r#"(module
    (func (export "swizzle") (param v128 v128) (result v128)
        (i8x16.relaxed_swizzle (local.get 0) (local.get 1)))
    (func (export "trunc") (param v128 v128) (result v128)
        (i32x4.relaxed_trunc_f32x4_s (local.get 0)))
    (func (export "dot") (param v128 v128) (result v128)
        (i16x8.relaxed_dot_i8x16_i7x16_s (local.get 0) (local.get 1)))
    (func (export "min") (param v128 v128) (result v128)
        (f32x4.relaxed_min (local.get 0) (local.get 1)))
    (func (export "q15") (param v128 v128) (result v128)
        (i16x8.relaxed_q15mulr_s (local.get 0) (local.get 1)))
    (func (export "select") (param v128 v128) (result v128)
        (i8x16.relaxed_laneselect (local.get 0) (local.get 1) (i8x16.splat (i32.const 0x8f)))))"#;

#[test]
fn deterministic_engines_give_relaxed_operators_the_specified_results() {
    let engine = Engine::new(Config::new().relaxed_simd_deterministic(true)).unwrap();
    let mut store = Store::new(&engine, ());
    let guest = instance(&mut store, RELAXED, &Linker::new(&engine));
    let mut check = |name: &str, a: u128, b: u128, expected: u128| {
        let run = guest.get_typed_func::<(V128, V128), V128>(&mut store, name).unwrap();
        let actual = run.call(&mut store, (a.into(), b.into())).unwrap();
        assert_eq!(actual, V128::from(expected), "{name}");
    };
    let bytes = |byte: u8| u128::from_le_bytes([byte; 16]);
    let floats = |value: f32| u128::from(value.to_bits()) * (1 << 96 | 1 << 64 | 1 << 32 | 1);
    // An index that x86 would take modulo 16, a float that it has no integer for, bytes that it
    // would take for unsigned, zeros that it would not tell apart, the overflow of Q15.
    check("swizzle", bytes(7), bytes(0x10), 0);
    check("trunc", floats(3e9), 0, u128::MAX / 0xffff_ffff * 0x7fff_ffff);
    check("dot", bytes(2), bytes(0xff), u128::MAX / 0xffff * 0xfffc);
    check("min", floats(-0.0), floats(0.0), floats(-0.0));
    check(
        "q15",
        u128::MAX / 0xffff * 0x8000,
        u128::MAX / 0xffff * 0x8000,
        u128::MAX / 0xffff * 0x7fff,
    );
    check("select", bytes(0xff), bytes(0), bytes(0x8f));
}

#[test]
fn either_feature_can_be_switched_off_and_the_error_names_it() {
    let compile = |config: &mut Config, wat: &str| {
        Module::new(&Engine::new(config).unwrap(), wat).map_err(|error| format!("{error:#}"))
    };
    compile(&mut Config::new(), RELAXED).unwrap();
    compile(Config::new().wasm_relaxed_simd(false), ADD).unwrap();
    let error = compile(Config::new().wasm_relaxed_simd(false), RELAXED).unwrap_err();
    assert!(error.contains("relaxed SIMD") && error.contains("at offset 0x"), "{error}");
    for wat in [ADD, RELAXED, "(module (global v128 (v128.const i64x2 0 0)))"] {
        let error = compile(Config::new().wasm_simd(false), wat).unwrap_err();
        assert!(error.contains("SIMD") && error.contains("at offset 0x"), "{error}");
    }
}
