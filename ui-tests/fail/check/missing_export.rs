#![allow(unused)]

use hostref::{Memory, wasm_exports};

#[wasm_exports(check = "guests/env.wat")]
struct Guest {
    stopp: fn(),
    on_event: fn(code: i32),
    absent: Option<fn()>,
    memory: Memory,
    none: Option<Memory>,
}

fn main() {}
