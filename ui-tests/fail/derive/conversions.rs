#![allow(unused)]

use hostref::WasmTy;

#[derive(WasmTy)]
#[wasm(try_from = "i32")]
struct One(i32);

#[derive(WasmTy)]
#[wasm(try_from = "i32", into = "not a type")]
struct Bad(i32);

#[derive(WasmTy)]
#[wasm(from = "i32", into = "i32")]
struct Serde(i32);

fn main() {}
