#![allow(unused)]

use hostref::{Caller, host_module};

struct Env;

#[host_module(name = "env", state = ())]
impl Env {
    fn log(code: i32, cx: &mut Caller<'_, ()>) {}
}

fn main() {}
