#![allow(unused)]

use hostref::host_module;

struct Env;

macro_rules! functions {
    () => {
        fn log(code: i32) {}
    };
}

#[host_module(name = "env")]
impl Env {
    functions!();
}

fn main() {}
