#![allow(unused)]

use hostref::host_module;

struct Env;

#[host_module(name = "env")]
impl Env {
    #[cfg_attr(all(), host(name = "print"))]
    fn log(code: i32) {}
}

fn main() {}
