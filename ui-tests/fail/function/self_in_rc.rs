#![allow(unused)]

use hostref::host_module;
use std::rc::Rc;

struct Counter(i32);

#[host_module(receiver = "object")]
impl Counter {
    fn get(self: Rc<Self>) -> i32 {
        self.0
    }
}

fn main() {}
