#![allow(unused)]

use hostref::host_module;

struct Env;

type Many = (u8, u8, u8, u8, u8, u8, u8, u8, u8, u8, u8, u8, u8, u8, u8, u8, u8);

#[host_module(name = "env")]
impl Env {
    fn many() -> Many {
        todo!()
    }
}

fn main() {}
