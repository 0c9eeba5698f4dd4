#![allow(unused)]

use hostref::host_module;

struct Env;

trait Log {
    fn log(code: i32);
}

#[host_module]
impl Log for Env {
    fn log(code: i32) {}
}

fn main() {}
