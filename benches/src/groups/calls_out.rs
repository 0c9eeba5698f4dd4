//! Calls from Wasm to the host: a loop in the guest for each, hostref's functions once by macro and once
//! by hand.

use anyhow::Result;

use crate::engines::{FUNC_WRAP_PEER, HOSTREF_PEER, Loop, WASMI_PEER, WASMTIME_PEER};
use crate::host::native;
use crate::suite::Suite;

const GUEST: &str = include_str!("../../guests/calls_out.wat");

const NUMBERS: &[Loop] = &[
    Loop::new("nop", "nop", "call").native(native::nop),
    Loop::new("(i32 i32) -> i32", "add", "call").native(native::add),
    Loop::new("(f32 f64) -> f64", "floats", "call"),
    Loop::new("6 mixed parameters", "mix6", "call").native(native::mix),
    Loop::new("12 i32 parameters", "sum12", "call"),
    Loop::new("state of the store", "state", "call"),
];

const OBJECTS: &[Loop] = &[
    Loop::new("Rooted, unused", "pass", "call"),
    Loop::new("Rooted, returned", "same", "call"),
    Loop::new("&T", "read", "call").native(native::read),
    Loop::new("&T and &T", "read2", "call").native(native::read2),
    Loop::new("New<T>", "fresh", "call").native(native::fresh),
    Loop::new("New<T> read by &T", "fresh_read", "two calls"),
    Loop::new("concat of two texts", "concat", "call").native(native::concat),
    Loop::new("&str in memory", "utf8", "call").native(native::utf8),
];

/// wasmi hands out no mutable host values.
const MUTABLE: &[Loop] = &[Loop::new("&mut T", "write", "call")];

pub fn run(suite: &mut Suite) -> Result<()> {
    let all = [HOSTREF_PEER, FUNC_WRAP_PEER, WASMTIME_PEER, WASMI_PEER];
    suite.loops(GUEST, &all, NUMBERS)?;
    suite.loops(GUEST, &all, OBJECTS)?;
    suite.loops(GUEST, &all[..3], MUTABLE)
}
