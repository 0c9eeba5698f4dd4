#![allow(unused)]

use hostref::host_module;

struct Env;

#[host_module(name = "env")]
impl Env {
    fn show(value: impl ToString) {}

    fn later() -> impl Future<Output = i32> {
        async { 1 }
    }
}

fn main() {}
