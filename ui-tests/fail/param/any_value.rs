#![allow(unused)]

use hostref::{Ref, Val, host_module};

struct Env;

#[host_module(name = "env")]
impl Env {
    fn show(value: Val) {}

    fn print(value: &Val) {}

    fn hold(reference: Ref) {}
}

fn main() {}
