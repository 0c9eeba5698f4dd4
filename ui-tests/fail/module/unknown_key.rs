#![allow(unused)]

use hostref::host_module;

struct Env;

#[host_module(version = "1")]
impl Env {
    fn log(code: i32) {}
}

fn main() {}
