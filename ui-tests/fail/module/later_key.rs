#![allow(unused)]

use hostref::host_module;

struct Env;

#[host_module(check = "guest.wat")]
impl Env {
    fn log(code: i32) {}
}

fn main() {}
