#![allow(unused)]

use hostref::host_module;

struct Env;

#[host_module(name = "env")]
impl Env {
    type Code = i32;

    fn log(code: i32) {}
}

fn main() {}
