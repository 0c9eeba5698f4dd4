#![allow(unused)]

use hostref::host_module;

struct Env;

struct Counter(i32);

#[host_module(name = "env")]
impl Env {
    fn bump(counter: &'static Counter) {}
}

fn main() {}
