#![allow(unused)]

use hostref::host_module;

struct Counter(i32);

#[host_module(name = "counter")]
impl Counter {
    fn new() -> Counter {
        Counter(0)
    }
}

fn main() {}
