#![allow(unused)]

use hostref::{Global, wasm_exports};

#[wasm_exports]
struct Guest {
    names: Global<String>,
}

fn main() {}
