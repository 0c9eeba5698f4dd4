#![allow(unused)]

use hostref::{host_module};

struct Env;

#[host_module(name = "env")]
impl Env {
    fn callback() -> fn(i32) -> i32 {
        panic!()
    }
}

fn main() {}
