#![allow(unused)]

use hostref::wasm_exports;

#[wasm_exports]
trait Guest {
    fn run(&self);
}

fn main() {}
