#![allow(unused)]

use hostref::host_module;

struct Env;

#[host_module(name = "env")]
impl Env {
    #[host(errno)]
    fn open() -> i32 {
        0
    }

    #[host]
    fn close() {}

    #[host(skip = true)]
    fn helper() {}

    #[host(global)]
    const LIMIT: i32 = 1;
}

fn main() {}
