#![allow(unused)]

use hostref::{TypedFunc, host_module};

struct Env;

#[host_module(name = "env")]
impl Env {
    fn each(call: &TypedFunc<i32, ()>) {}

    fn any(call: Option<&TypedFunc<i32, ()>>) {}
}

fn main() {}
