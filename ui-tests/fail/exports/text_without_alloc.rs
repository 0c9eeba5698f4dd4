#![allow(unused)]

use hostref::wasm_exports;

#[wasm_exports]
struct Guest {
    send: fn(text: &str, n: i32),
}

fn main() {}
