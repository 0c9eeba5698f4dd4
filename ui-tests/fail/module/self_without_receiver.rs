#![allow(unused)]

use hostref::host_module;

struct Counter(i32);

#[host_module(name = "counter")]
impl Counter {
    fn get(&self) -> i32 {
        self.0
    }

    fn bump(&mut self) {
        self.0 += 1;
    }
}

fn main() {}
