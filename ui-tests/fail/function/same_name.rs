#![allow(unused)]

use hostref::host_module;

struct Env;

#[host_module(name = "env")]
impl Env {
    fn log(code: i32) {}

    #[host(name = "log")]
    fn log_wide(code: i64) {}
}

fn main() {}
