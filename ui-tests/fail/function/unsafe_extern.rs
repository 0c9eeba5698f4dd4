#![allow(unused)]

use hostref::host_module;

struct Env;

#[host_module(name = "env")]
impl Env {
    unsafe fn poke(address: u32) {}

    extern "C" fn raw(address: u32) {}
}

fn main() {}
