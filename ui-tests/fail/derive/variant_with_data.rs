#![allow(unused)]

use hostref::WasmTy;

#[derive(WasmTy)]
#[repr(i32)]
enum Shape {
    Empty,
    Circle(f64),
}

fn main() {}
