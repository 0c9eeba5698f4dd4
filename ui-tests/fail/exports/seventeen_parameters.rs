#![allow(unused)]

use hostref::wasm_exports;

#[wasm_exports]
struct Guest {
    many: fn(
        i32, i32, i32, i32, i32, i32, i32, i32, i32, i32, i32, i32, i32, i32, i32, i32, i32,
    ),
}

fn main() {}
