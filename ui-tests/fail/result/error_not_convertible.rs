#![allow(unused)]

use hostref::host_module;

struct Env;

struct Refused;

#[host_module(name = "env")]
impl Env {
    fn open() -> Result<i32, Refused> {
        Err(Refused)
    }
}

fn main() {}
