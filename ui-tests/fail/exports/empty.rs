#![allow(unused)]

use hostref::wasm_exports;

#[wasm_exports]
struct Guest {}

fn main() {}
