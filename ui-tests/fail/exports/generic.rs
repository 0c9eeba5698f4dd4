#![allow(unused)]

use hostref::wasm_exports;

#[wasm_exports]
struct Guest<T> {
    run: fn(value: T),
}

fn main() {}
