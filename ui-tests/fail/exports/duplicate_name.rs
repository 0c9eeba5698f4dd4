#![allow(unused)]

use hostref::wasm_exports;

#[wasm_exports]
struct Guest {
    run: fn(),
    #[export(name = "run")]
    start: fn(),
}

fn main() {}
