#![allow(unused)]

use hostref::host_module;

#[host_module]
fn env() {}

fn main() {}
