#![allow(unused)]

use hostref::host_module;

struct Env;

#[host_module(name = "env")]
impl Env {
    fn log(code: i32) {}
}

#[host_module(name = "math")]
impl Env {
    fn add(a: i32, b: i32) -> i32 {
        a + b
    }
}

fn main() {}
