#![allow(unused)]

use hostref::{Take, host_module};

struct Text(String);

struct Env;

#[host_module(name = "env")]
impl Env {
    fn boxed() -> Box<Text> {
        panic!()
    }

    fn taken() -> Take<Text> {
        panic!()
    }
}

fn main() {}
