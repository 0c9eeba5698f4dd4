#![allow(unused)]

use hostref::host_module;

struct Env;

#[host_module(memory = "memory")]
impl Env {
    fn log(code: i32) {}
}

fn main() {}
