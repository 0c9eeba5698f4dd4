#![allow(unused)]

use hostref::wasm_exports;

#[wasm_exports]
struct Guest(fn() -> i32);

fn main() {}
