//! Wrapping integers, converted types, error numbers, constants.

use super::*;

#[derive(Debug)]
struct Odd(i32);

impl std::fmt::Display for Odd {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} is odd", self.0)
    }
}

impl std::error::Error for Odd {}

/// An even number, which travels as itself.
#[derive(WasmTy, Clone, Copy, Debug, PartialEq)]
#[wasm(try_from = "i32", into = "i32")]
struct Even {
    half: i32,
    _more: (),
}

impl TryFrom<i32> for Even {
    type Error = Odd;

    fn try_from(number: i32) -> std::result::Result<Even, Odd> {
        if number % 2 == 0 { Ok(Even { half: number / 2, _more: () }) } else { Err(Odd(number)) }
    }
}

impl From<Even> for i32 {
    fn from(even: Even) -> i32 {
        even.half * 2
    }
}

/// Every number is one.
#[derive(WasmTy)]
#[wasm(try_from = "u64", into = "u64")]
struct Id(u64);

impl From<u64> for Id {
    fn from(id: u64) -> Id {
        Id(id)
    }
}

impl From<Id> for u64 {
    fn from(id: Id) -> u64 {
        id.0
    }
}

enum Errno {
    Access,
    Success,
}

impl From<Errno> for i32 {
    fn from(errno: Errno) -> i32 {
        match errno {
            Errno::Access => 13,
            Errno::Success => 0,
        }
    }
}

type Outcome = std::result::Result<(), Errno>;
type Byte = u8;

struct Numbers;

#[host_module(name = "n", rename_all = "kebab-case")]
impl Numbers {
    #[host(global)]
    const MAX_LEN: u32 = 4096;
    #[host(global, name = "pi")]
    const PI: f64 = std::f64::consts::PI;
    #[host(global)]
    const DEBUG: bool = true;
    const INNER: i32 = 5;

    fn bytes(#[host(wrap)] a: u8, #[host(wrap)] b: i8, c: u8) -> (u8, i8) {
        (a + c, b)
    }
    fn words(#[host(wrap)] a: u16, #[host(wrap)] b: i16) -> (u16, i16) {
        (a, b)
    }
    fn alias(#[host(wrap)] a: Byte) -> Byte {
        a
    }
    fn double(even: Even) -> Even {
        Even { half: even.half * 2, _more: () }
    }
    fn next(id: Id) -> Id {
        Id(id.0 + 1)
    }
    #[host(errno)]
    fn open(mode: i32) -> Outcome {
        match mode {
            0 => Ok(()),
            1 => Err(Errno::Access),
            _ => Err(Errno::Success),
        }
    }
    fn inner() -> i32 {
        Self::INNER
    }
}

const WAT: &str = r#"(module
    (func (export "bytes") (import "n" "bytes") (param i32 i32 i32) (result i32 i32))
    (func (export "words") (import "n" "words") (param i32 i32) (result i32 i32))
    (func (export "alias") (import "n" "alias") (param i32) (result i32))
    (func (export "double") (import "n" "double") (param i32) (result i32))
    (func (export "next") (import "n" "next") (param i64) (result i64))
    (func (export "open") (import "n" "open") (param i32) (result i32))
    (func (export "inner") (import "n" "inner") (result i32))
    (global $len (export "len") (import "n" "max-len") i32)
    (global $pi (import "n" "pi") f64)
    (global $debug (import "n" "debug") i32)
    (global $copy i32 (global.get $len))
    (func (export "globals") (result i32 f64 i32 i32)
        (global.get $len) (global.get $pi) (global.get $debug) (global.get $copy)))"#;

fn numbers() -> (Store<()>, Instance) {
    guest(&Config::new(), (), WAT, Numbers::add_to_linker).unwrap()
}

fn i32s(values: &[Val]) -> Vec<i32> {
    values.iter().map(Val::unwrap_i32).collect()
}

#[test]
fn wrapping_integers_are_cut_and_others_are_not() {
    let (mut store, guest) = numbers();
    let params = [Val::I32(0x1ff), Val::I32(0x1ff), Val::I32(0)];
    assert_eq!(i32s(&call(&mut store, &guest, "bytes", &params).unwrap()), [255, -1]);
    let params = [Val::I32(-1), Val::I32(0x18000)];
    assert_eq!(i32s(&call(&mut store, &guest, "words", &params).unwrap()), [65535, -32768]);
    assert_eq!(one(&mut store, &guest, "alias", &[Val::I32(256)]).unwrap().unwrap_i32(), 0);
    let message = refused(&mut store, &guest, "bytes", &[Val::I32(0), Val::I32(0), Val::I32(256)]);
    assert_contains(&message, "parameter `c` of `n::bytes`: expected a `u8`, found 256");
}

#[test]
fn converted_types_travel_as_what_they_convert_to() {
    let (mut store, guest) = numbers();
    assert_eq!(one(&mut store, &guest, "double", &[Val::I32(-6)]).unwrap().unwrap_i32(), -12);
    assert_eq!(one(&mut store, &guest, "next", &[Val::I64(1)]).unwrap().unwrap_i64(), 2);
    let error = call(&mut store, &guest, "double", &[Val::I32(7)]).unwrap_err();
    assert_eq!(error.downcast_ref::<Odd>().unwrap().0, 7);
    assert_contains(
        &chain(&error),
        "parameter `even` of `n::double`: no value of `host_kinds::numbers::Even`: 7 is odd",
    );
}

#[test]
fn error_numbers_are_results_and_zero_is_none() {
    let (mut store, guest) = numbers();
    assert_eq!(one(&mut store, &guest, "open", &[Val::I32(0)]).unwrap().unwrap_i32(), 0);
    assert_eq!(one(&mut store, &guest, "open", &[Val::I32(1)]).unwrap().unwrap_i32(), 13);
    let message = refused(&mut store, &guest, "open", &[Val::I32(2)]);
    assert_contains(&message, "host function `n::open`: the number of an error is 0");
}

#[test]
fn constants_are_immutable_globals() {
    let (mut store, guest) = numbers();
    let values = call(&mut store, &guest, "globals", &[]).unwrap();
    assert_eq!(values[0].unwrap_i32(), 4096);
    assert_eq!(values[1].unwrap_f64(), std::f64::consts::PI);
    assert_eq!((values[2].unwrap_i32(), values[3].unwrap_i32()), (1, 4096));
    assert_eq!(one(&mut store, &guest, "inner", &[]).unwrap().unwrap_i32(), 5);
    let len = guest.get_global(&mut store, "len").unwrap();
    assert!(len.set(&mut store, Val::I32(1)).is_err());
}

#[test]
fn a_linker_gives_constants_and_refuses_other_types() {
    let engine = Engine::default();
    let mut linker: Linker<()> = Linker::new(&engine);
    Numbers::add_to_linker(&mut linker).unwrap();
    let mut store = Store::new(&engine, ());
    let len = linker.get(&mut store, "n", "max-len").and_then(|it| it.into_global()).unwrap();
    assert_eq!(len.get(&mut store).unwrap_i32(), 4096);
    for import in [r#"(global (import "n" "max-len") (mut i32))"#, r#"(import "n" "pi" (func))"#] {
        let module = Module::new(&engine, format!("(module {import})")).unwrap();
        let error = linker.instantiate(&mut store, &module).unwrap_err();
        assert_contains(&chain(&error), "incompatible import type");
    }
}
