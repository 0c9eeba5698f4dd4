#![allow(unused)]

use hostref::host_module;

struct Env;

#[host_module(memory = "memory", check = "guest.wat")]
impl Env {
    fn log(code: i32) {}
}

fn main() {}
