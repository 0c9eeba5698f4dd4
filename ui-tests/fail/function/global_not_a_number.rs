#![allow(unused)]

use hostref::{Func, host_module};

struct Env;

#[host_module(name = "env")]
impl Env {
    #[host(global)]
    const NAME: &'static str = "env";

    #[host(global)]
    const HANDLER: Option<Func> = None;
}

fn main() {}
