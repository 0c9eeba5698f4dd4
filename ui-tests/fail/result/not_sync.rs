#![allow(unused)]

use hostref::{New, host_module};

struct Env;

#[host_module(name = "env")]
impl Env {
    fn shared() -> New<std::rc::Rc<i32>> {
        panic!()
    }
}

fn main() {}
