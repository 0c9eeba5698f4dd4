#![allow(unused)]

use hostref::host_module;

struct Env;

#[host_module(name = "env", name = "sys")]
impl Env {
    fn log(code: i32) {}
}

fn main() {}
