#![allow(unused)]

use hostref::{Result, Val, host_module};

struct Env;

#[host_module(name = "env")]
impl Env {
    fn value() -> Result<Val> {
        panic!()
    }
}

fn main() {}
