#![allow(unused)]

use hostref::host_module;

struct Env;

#[host_module(name = "env")]
impl Env {
    fn seek(position: usize) {}

    fn hash(value: u128) {}
}

fn main() {}
