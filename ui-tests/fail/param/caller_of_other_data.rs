#![allow(unused)]

use hostref::{Caller, host_module};

struct App;

struct Other;

struct Env;

#[host_module(name = "env", state = App)]
impl Env {
    fn log(cx: &mut Caller<'_, Other>) {}
}

fn main() {}
