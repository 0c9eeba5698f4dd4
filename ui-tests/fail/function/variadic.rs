#![allow(unused)]

use hostref::host_module;

struct Env;

#[host_module(name = "env")]
impl Env {
    unsafe extern "C" fn print(format: i32, ...) {}
}

fn main() {}
