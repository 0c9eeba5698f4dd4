#![allow(unused)]

use hostref::WasmTy;

#[derive(WasmTy)]
struct Point {
    x: i32,
    y: i32,
}

fn main() {}
