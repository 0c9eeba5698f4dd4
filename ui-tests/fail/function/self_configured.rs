#![allow(unused)]

use hostref::host_module;

struct Counter(i32);

#[host_module(receiver = "object")]
impl Counter {
    fn get(#[cfg(all())] &self) -> i32 {
        self.0
    }
}

fn main() {}
