#![allow(unused)]

use hostref::host_module;
use std::cell::Cell;

struct Env;

struct Counter(Cell<i32>);

#[host_module(name = "env")]
impl Env {
    fn bump(counter: &Counter) {}
}

fn main() {}
