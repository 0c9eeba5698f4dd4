#![allow(unused)]

use hostref::host_module;

struct Env;

#[host_module(name = "env")]
impl Env {
    fn log(code: i32) {}

    #[host(skip, name = "helper")]
    fn helper() {}
}

fn main() {}
