#![allow(unused)]

use hostref::WasmTy;

#[derive(WasmTy)]
struct Id<T>(T);

fn main() {}
