#![allow(unused)]

use hostref::host_module;

struct Counter(i32);

#[host_module(receiver = "object")]
impl Counter {
    fn finish(self) -> i32 {
        self.0
    }
}

fn main() {}
