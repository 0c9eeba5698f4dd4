#![allow(unused)]

use hostref::wasm_exports;

#[wasm_exports]
struct Guest {
    run: fn(),
}

fn main() {}
