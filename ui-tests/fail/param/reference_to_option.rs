#![allow(unused)]

use hostref::host_module;

struct Env;

struct Counter(i32);

#[host_module(name = "env")]
impl Env {
    fn read(counter: &Option<Counter>) {}

    fn write(counter: &mut Option<Counter>) {}
}

fn main() {}
