#![allow(unused)]

use hostref::host_module;

struct Env;

struct Unnumbered;

#[host_module(name = "env")]
impl Env {
    #[host(errno)]
    fn open() -> i32 {
        0
    }

    #[host(errno)]
    fn read() -> Result<u32, i32> {
        Ok(0)
    }

    #[host(errno)]
    fn close() -> Result<(), Unnumbered> {
        Ok(())
    }
}

fn main() {}
