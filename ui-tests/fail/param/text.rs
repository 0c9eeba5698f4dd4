#![allow(unused)]

use hostref::host_module;

struct Env;

#[host_module(name = "env")]
impl Env {
    fn edit(line: &mut str) {}

    fn own(line: String) {}

    fn bytes(data: Vec<u8>) {}
}

fn main() {}
