#![allow(unused)]

use hostref::host_module;

struct Env;

#[host_module(name = "env")]
impl Env {
    #[host(global)]
    fn open() -> i32 {
        0
    }

    #[host]
    fn close() {}

    #[host(skip = true)]
    fn helper() {}

    #[host(wrap)]
    fn low(bits: u8) {}

    #[host(errno)]
    fn remove() {}

    #[host(skip)]
    const LIMIT: i32 = 1;

    #[host(name = "most")]
    const MOST: i32 = 1;
}

fn main() {}
