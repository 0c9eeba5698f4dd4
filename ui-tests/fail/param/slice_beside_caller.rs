#![allow(unused)]

use hostref::{Caller, HostCx, host_module};

struct Env;

#[host_module(name = "env", state = ())]
impl Env {
    fn log(cx: &mut Caller<'_, ()>, line: &str) {}

    fn fill(cx: &mut HostCx<'_, ()>, n: i32, bytes: &mut [u8]) {}
}

fn main() {}
