#![allow(unused)]

use hostref::{Take, host_module};
use std::cell::Cell;
use std::rc::Rc;

struct Env;

struct Counter(Cell<i32>);

#[host_module(name = "env")]
impl Env {
    fn bump(counter: &Counter) {}

    fn reset(counter: Option<&mut Counter>) {}

    fn share(counter: Take<Rc<i32>>) {}
}

fn main() {}
