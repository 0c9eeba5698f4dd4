#![allow(unused)]

use hostref::host_module;

struct Env(i32);

#[host_module(name = "env", receiver = "object")]
impl Env {
    fn low(#[host(wrap)] bits: u32) {}

    fn flag(#[host(wrap)] flag: bool) {}

    fn own(#[host(wrap)] &self) {}

    fn other(#[host(name = "x")] x: i32) {}
}

fn main() {}
