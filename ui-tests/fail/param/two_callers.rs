#![allow(unused)]

use hostref::{Caller, host_module};

struct Env;

#[host_module(name = "env", state = ())]
impl Env {
    fn log(a: &mut Caller<'_, ()>, b: &mut Caller<'_, ()>) {}
}

fn main() {}
