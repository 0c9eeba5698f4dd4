#![allow(unused)]

use hostref::{Caller, host_module};

struct App;

struct Env;

#[host_module(name = "env")]
impl Env {
    fn log(cx: &mut Caller<'_, App>) {}
}

fn main() {}
