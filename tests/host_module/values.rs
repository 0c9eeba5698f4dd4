//! Numbers, `bool`, `char`, derived types and tuples as parameters and results.

use super::*;

struct Echo;

#[host_module(name = "echo")]
impl Echo {
    fn i32(v: i32) -> i32 {
        v
    }
    fn u32(v: u32) -> u32 {
        v
    }
    fn i64(v: i64) -> i64 {
        v
    }
    fn u64(v: u64) -> u64 {
        v
    }
    fn f32(v: f32) -> f32 {
        v
    }
    fn f64(v: f64) -> f64 {
        v
    }
    fn i8(v: i8) -> i8 {
        v
    }
    fn u8(v: u8) -> u8 {
        v
    }
    fn i16(v: i16) -> i16 {
        v
    }
    fn u16(v: u16) -> u16 {
        v
    }
    fn bool(v: bool) -> bool {
        v
    }
    fn char(v: char) -> char {
        v
    }
    fn several(a: i32, b: i64, c: f32, d: f64) -> (f64, f32, i64, i32) {
        (d, c, b, a)
    }
    fn nothing() {}
}

fn echo(name: &str, ty: &str, value: Val) -> Result<Val> {
    let engine = Engine::default();
    let mut linker = Linker::new(&engine);
    Echo::add_to_linker(&mut linker)?;
    let mut store = Store::new(&engine, ());
    let import = format!("(import \"echo\" \"{name}\" (func (param {ty}) (result {ty})))");
    Ok(call(&mut store, &linker, &import, &[value], 1)?.remove(0))
}

#[test]
fn numbers_travel_unchanged() {
    for (name, value) in [("i32", -1), ("u32", -1), ("i8", -128), ("i16", -32768)] {
        assert_eq!(echo(name, "i32", Val::I32(value)).unwrap().unwrap_i32(), value);
    }
    for (name, value) in [("u8", 255), ("u16", 65535), ("bool", 1), ("char", 0x10ffff)] {
        assert_eq!(echo(name, "i32", Val::I32(value)).unwrap().unwrap_i32(), value);
    }
    for name in ["i64", "u64"] {
        assert_eq!(echo(name, "i64", Val::I64(i64::MIN)).unwrap().unwrap_i64(), i64::MIN);
    }
    assert_eq!(
        echo("f32", "f32", Val::F32(0x7fa0_0000)).unwrap().unwrap_f32().to_bits(),
        0x7fa0_0000
    );
    assert_eq!(echo("f64", "f64", Val::F64(1 << 63)).unwrap().unwrap_f64().to_bits(), 1 << 63);
}

#[test]
fn a_number_out_of_range_traps_and_is_named() {
    for (name, value, expected) in [
        ("i8", 128, "parameter `v` of `echo::i8`: expected an `i8`, found 128"),
        ("u8", -1, "parameter `v` of `echo::u8`: expected a `u8`, found 4294967295"),
        ("i16", 32768, "expected an `i16`, found 32768"),
        ("u16", 65536, "expected a `u16`, found 65536"),
        ("bool", 2, "parameter `v` of `echo::bool`: expected a `bool`, 0 or 1, found 2"),
        ("char", 0xd800, "a Unicode scalar value, found 55296"),
    ] {
        let message = chain(&echo(name, "i32", Val::I32(value)).unwrap_err());
        assert!(message.contains(expected), "{message}");
    }
}

#[test]
fn several_results_come_in_order() {
    let engine = Engine::default();
    let mut linker = Linker::new(&engine);
    Echo::add_to_linker(&mut linker).unwrap();
    let mut store = Store::new(&engine, ());
    let import = r#"(import "echo" "several"
        (func (param i32 i64 f32 f64) (result f64 f32 i64 i32)))"#;
    let params = [Val::I32(1), Val::I64(2), Val::from(3.0_f32), Val::from(4.0_f64)];
    let results = call(&mut store, &linker, import, &params, 4).unwrap();
    assert_eq!(results[0].unwrap_f64(), 4.0);
    assert_eq!(results[1].unwrap_f32(), 3.0);
    assert_eq!(results[2].unwrap_i64(), 2);
    assert_eq!(results[3].unwrap_i32(), 1);
    let none = call(&mut store, &linker, r#"(import "echo" "nothing" (func))"#, &[], 0);
    assert!(none.unwrap().is_empty());
}

#[derive(WasmTy, Clone, Copy, Debug, PartialEq)]
struct Meters(f64);

#[derive(WasmTy)]
struct Handle {
    raw: u16,
}

#[derive(WasmTy, Clone, Copy, Debug, PartialEq)]
#[repr(u8)]
enum Color {
    Red = 1,
    Green,
    Blue = 200,
}

#[derive(WasmTy)]
#[repr(i64)]
enum Wide {
    Low = i64::MIN,
    High = i64::MAX,
}

struct Derived;

#[host_module(name = "derived")]
impl Derived {
    fn double(length: Meters) -> Meters {
        Meters(length.0 * 2.0)
    }
    fn next(handle: Handle) -> Handle {
        Handle { raw: handle.raw + 1 }
    }
    fn paint(color: Color) -> Color {
        match color {
            Color::Red => Color::Green,
            Color::Green => Color::Blue,
            Color::Blue => Color::Red,
        }
    }
    fn flip(wide: Wide) -> Wide {
        match wide {
            Wide::Low => Wide::High,
            Wide::High => Wide::Low,
        }
    }
}

fn derived(name: &str, ty: &str, value: Val) -> Result<Val> {
    let engine = Engine::default();
    let mut linker = Linker::new(&engine);
    Derived::add_to_linker(&mut linker)?;
    let mut store = Store::new(&engine, ());
    let import = format!("(import \"derived\" \"{name}\" (func (param {ty}) (result {ty})))");
    Ok(call(&mut store, &linker, &import, &[value], 1)?.remove(0))
}

#[test]
fn derived_newtypes_and_enums_travel_as_their_inner_type() {
    assert_eq!(derived("double", "f64", Val::from(1.5_f64)).unwrap().unwrap_f64(), 3.0);
    assert_eq!(derived("next", "i32", Val::I32(7)).unwrap().unwrap_i32(), 8);
    assert_eq!(derived("paint", "i32", Val::I32(2)).unwrap().unwrap_i32(), 200);
    assert_eq!(derived("flip", "i64", Val::I64(i64::MIN)).unwrap().unwrap_i64(), i64::MAX);
}

#[test]
fn an_unknown_discriminant_traps_and_is_named() {
    let message = chain(&derived("paint", "i32", Val::I32(3)).unwrap_err());
    assert!(
        message.contains(
            "parameter `color` of `derived::paint`: 3 is no `Color`; it has 1 = Red, \
             2 = Green, 200 = Blue"
        ),
        "{message}"
    );
    let message = chain(&derived("paint", "i32", Val::I32(256)).unwrap_err());
    assert!(message.contains("256 is no `Color`; it has 1 = Red"), "{message}");
    let message = chain(&derived("next", "i32", Val::I32(-1)).unwrap_err());
    assert!(message.contains("parameter `handle` of `derived::next`"), "{message}");
}
