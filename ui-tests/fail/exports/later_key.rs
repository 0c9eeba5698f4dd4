#![allow(unused)]

use hostref::wasm_exports;

#[wasm_exports(check = "guest.wat")]
struct Guest {
    run: fn(),
}

fn main() {}
