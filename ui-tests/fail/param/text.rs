#![allow(unused)]

use hostref::host_module;

struct Env;

#[host_module(name = "env")]
impl Env {
    fn log(line: &str) {}

    fn own(line: String) {}

    fn bytes(data: &[u8]) {}
}

fn main() {}
