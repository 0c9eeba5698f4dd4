#![allow(unused)]

use hostref::host_module;

struct Env;

#[host_module(name = "env")]
impl Env {
    fn log(
        #[cfg(unix)] a: i32,
        #[cfg(windows)] b: i32,
        #[cfg(debug_assertions)] c: i32,
        #[cfg(all())] d: i32,
        #[cfg(any())] e: i32,
    ) {
    }
}

fn main() {}
