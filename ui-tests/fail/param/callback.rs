#![allow(unused)]

use hostref::{Caller, TypedFunc, host_module};

struct Env;

#[host_module(name = "env", state = ())]
impl Env {
    // What a guest passes is a function of Wasm, not a closure.
    fn each(call: fn(i32) -> i32) {}

    fn all(call: Box<dyn Fn(i32)>) {}

    // The types of its parameters are those of Wasm.
    fn named(call: TypedFunc<String, ()>) {}
}

fn main() {}
