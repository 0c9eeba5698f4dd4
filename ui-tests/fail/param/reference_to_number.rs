#![allow(unused)]

use hostref::host_module;

struct Env;

#[host_module(name = "env")]
impl Env {
    fn get(out: &mut i32) {}

    fn bytes(data: &[u8; 4]) {}
}

fn main() {}
