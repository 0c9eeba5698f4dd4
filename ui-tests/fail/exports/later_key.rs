#![allow(unused)]

use hostref::wasm_exports;

#[wasm_exports(check = "guest.wat")]
struct Guest {
    #[export(alloc = "malloc")]
    run: fn(),
}

fn main() {}
