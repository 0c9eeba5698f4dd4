#![allow(unused)]

use hostref::wasm_exports;

#[wasm_exports]
struct Guest {
    #[export(alloc = "malloc")]
    send: fn(text: &str, numbers: &[u32]),
}

fn main() {}
