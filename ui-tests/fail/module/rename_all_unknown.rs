#![allow(unused)]

use hostref::host_module;

struct Env;

#[host_module(rename_all = "kebab_case")]
impl Env {
    fn log(code: i32) {}
}

fn main() {}
