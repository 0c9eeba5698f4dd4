#![allow(unused)]

use hostref::{Memory, wasm_exports};

#[wasm_exports]
struct Guest {
    run: fn(),
    instance: Memory,
}

fn main() {}
