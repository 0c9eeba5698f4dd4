#![allow(unused)]

use hostref::{ExternRef, Rooted, wasm_exports};

#[wasm_exports(check = "guests/env.wat")]
struct Guest {
    run: fn(n: u64, object: i32) -> Rooted<ExternRef>,
    stop: fn(code: i32) -> i32,
}

#[wasm_exports(check = "guests/env.wat")]
struct Few {
    run: fn(n: u32) -> i64,
}

fn main() {}
