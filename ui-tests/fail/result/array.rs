#![allow(unused)]

use hostref::{host_module};

struct Env;

#[host_module(name = "env")]
impl Env {
    fn point() -> [f64; 2] {
        panic!()
    }
}

fn main() {}
