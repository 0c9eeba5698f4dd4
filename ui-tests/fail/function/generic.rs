#![allow(unused)]

use hostref::host_module;

struct Env;

#[host_module(name = "env")]
impl Env {
    fn show<T: ToString>(value: T) {}
}

fn main() {}
