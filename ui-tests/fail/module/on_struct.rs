#![allow(unused)]

use hostref::host_module;

#[host_module(name = "env")]
struct Env;

fn main() {}
