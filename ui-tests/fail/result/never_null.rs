#![allow(unused)]

use hostref::{Result, host_module};

struct Env;

#[host_module(name = "env")]
impl Env {
    fn position() -> Option<u32> {
        panic!()
    }

    fn flag() -> Result<Option<bool>> {
        panic!()
    }
}

fn main() {}
