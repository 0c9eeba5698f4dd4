#![allow(unused)]

use hostref::wasm_exports;

#[wasm_exports]
struct Guest {
    #[export(alloc = "malloc")]
    run: fn(),
}

fn main() {}
