#![allow(unused)]

use hostref::WasmTy;

#[derive(WasmTy)]
#[wasm(try_from = "i32", into = "i32")]
struct Stuck(i32);

fn main() {}
