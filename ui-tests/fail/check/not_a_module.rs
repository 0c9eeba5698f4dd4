#![allow(unused)]

use hostref::{host_module, wasm_exports};

struct Env;

#[host_module(name = "env", check = "guests/invalid.wat")]
impl Env {
    fn log(code: i32) {}
}

#[wasm_exports(check = "guests/component.wat")]
struct Guest {
    run: fn(),
}

fn main() {}
