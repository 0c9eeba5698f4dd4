#![allow(unused)]

use hostref::wasm_exports;

#[wasm_exports]
enum Guest {
    Run,
}

fn main() {}
