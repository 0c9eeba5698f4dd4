#![allow(unused)]

use hostref::{Copied, host_module};

struct Env;

#[host_module(name = "env")]
impl Env {
    fn log(text: Option<&str>) {}

    fn read(bytes: Option<&[u8]>) {}

    fn fill(numbers: Option<&mut [f32]>) {}

    fn keep(text: Option<Copied<str>>) {}

    fn own(text: Option<String>) {}
}

fn main() {}
