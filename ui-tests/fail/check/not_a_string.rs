#![allow(unused)]

use hostref::host_module;

struct Env;

#[host_module(name = "env", check)]
impl Env {
    fn log(code: i32) {}
}

fn main() {}
