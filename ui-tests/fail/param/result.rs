#![allow(unused)]

use hostref::{host_module};

struct Env;

#[host_module(name = "env")]
impl Env {
    fn done(outcome: Result<i32, String>) {}
}

fn main() {}
