#![allow(unused)]

use hostref::host_module;

struct Env;

#[host_module(link = "add to linker")]
impl Env {
    fn log(code: i32) {}
}

fn main() {}
