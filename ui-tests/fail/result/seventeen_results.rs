#![allow(unused)]

use hostref::host_module;

struct Env;

type Many = (u8, u8, u8, u8, u8, u8, u8, u8, u8, u8, u8, u8, u8, u8, u8, u8, u8);

#[host_module(name = "env")]
impl Env {
    fn many() -> Many {
        (0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16)
    }
}

fn main() {}
