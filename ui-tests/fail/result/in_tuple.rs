#![allow(unused)]

use hostref::{New, Result, host_module};

struct Text(String);

struct Env;

#[host_module(name = "env")]
impl Env {
    fn both() -> (i32, Text) {
        panic!()
    }

    fn nested() -> Result<(New<Text>, String)> {
        panic!()
    }
}

fn main() {}
