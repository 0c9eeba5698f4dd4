#![allow(unused)]

use hostref::WasmTy;

#[derive(WasmTy)]
#[repr(u128)]
enum Color {
    Red,
    Green,
}

fn main() {}
