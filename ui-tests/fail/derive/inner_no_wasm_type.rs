#![allow(unused)]

use hostref::WasmTy;

#[derive(WasmTy)]
struct Name(String);

fn main() {}
