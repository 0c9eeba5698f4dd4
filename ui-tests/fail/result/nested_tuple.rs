#![allow(unused)]

use hostref::host_module;

struct Env;

#[host_module(name = "env")]
impl Env {
    fn corners() -> ((i32, i32), (i32, i32)) {
        ((0, 0), (1, 1))
    }
}

fn main() {}
