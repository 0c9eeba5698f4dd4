#![allow(unused)]

use hostref::host_module;

struct Counter(i32);

#[host_module(receiver = "this")]
impl Counter {
    fn get(&self) -> i32 {
        self.0
    }
}

fn main() {}
