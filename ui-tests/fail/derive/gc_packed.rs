#![allow(unused)]

use hostref::{GcStruct, WasmTy};

#[derive(WasmTy)]
#[repr(i32)]
enum Wide {
    One = 1,
}

#[derive(GcStruct)]
struct Flags {
    #[gc(mut, packed)]
    set: bool,
    #[gc(mut, packed)]
    low: u8,
    #[gc(packed)]
    wide: Wide,
}

fn main() {}
