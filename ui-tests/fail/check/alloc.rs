#![allow(unused)]

use hostref::wasm_exports;

#[wasm_exports(check = "guests/env.wat")]
struct Guest {
    #[export(alloc = "malloc")]
    run: fn(text: &str) -> i64,
}

#[wasm_exports(check = "guests/env.wat")]
struct NoMemory {
    #[export(alloc = "stop")]
    run: fn(n: i32, text: &str) -> i64,
}

fn main() {}
