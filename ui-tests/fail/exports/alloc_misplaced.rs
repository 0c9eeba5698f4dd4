#![allow(unused)]

use hostref::{Memory, wasm_exports};

#[wasm_exports]
struct Guest {
    #[export(alloc = "malloc")]
    memory: Memory,
    #[export(alloc = "malloc")]
    tell: Option<fn(text: i32)>,
    #[export(alloc)]
    run: fn(),
}

fn main() {}
