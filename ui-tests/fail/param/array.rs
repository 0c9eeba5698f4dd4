#![allow(unused)]

use hostref::{host_module};

struct Env;

#[host_module(name = "env")]
impl Env {
    fn plot(point: [f64; 2]) {}
}

fn main() {}
