#![allow(unused)]

use hostref::{Result, host_module};

struct Text(String);

struct Env;

#[host_module(name = "env")]
impl Env {
    fn find() -> Option<Text> {
        panic!()
    }

    fn read() -> Result<Option<String>> {
        panic!()
    }
}

fn main() {}
