#![allow(unused)]

use hostref::{WasmTy, host_module};

#[derive(WasmTy)]
enum Color {
    Red,
    Green,
}

struct Env;

#[host_module(name = "env")]
impl Env {
    fn paint(color: Color) {}
}

fn main() {}
