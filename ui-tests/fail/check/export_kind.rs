#![allow(unused)]

use hostref::{Func, Memory, Table, wasm_exports};

#[wasm_exports(check = "guests/env.wat")]
struct Guest {
    scratch: Option<fn()>,
    table: Memory,
    stop: Table,
    run: Func,
}

fn main() {}
