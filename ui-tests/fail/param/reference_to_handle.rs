#![allow(unused)]

use hostref::{ExternRef, Func, Rooted, host_module};

struct Env;

#[host_module(name = "env")]
impl Env {
    fn keep(object: &Rooted<ExternRef>) {}

    fn call(callback: &Func) {}
}

fn main() {}
