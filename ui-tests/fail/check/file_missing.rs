#![allow(unused)]

use hostref::{host_module, wasm_exports};

struct Env;

#[host_module(name = "env", check = "guests/missing.wat")]
impl Env {
    fn log(code: i32) {}
}

#[wasm_exports(check = "guests/missing.wat")]
struct Guest {
    run: fn(),
}

fn main() {}
