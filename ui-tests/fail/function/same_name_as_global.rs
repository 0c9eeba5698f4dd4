#![allow(unused)]

use hostref::host_module;

struct Env;

#[host_module(name = "env", rename_all = "kebab-case")]
impl Env {
    #[host(global)]
    const LIMIT: i32 = 1;

    fn limit() -> i32 {
        1
    }
}

fn main() {}
