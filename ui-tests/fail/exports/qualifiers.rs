#![allow(unused)]

use hostref::wasm_exports;

#[wasm_exports]
struct Guest {
    a: unsafe fn(),
    b: extern "C" fn(),
    c: for<'a> fn(a: i32),
}

fn main() {}
