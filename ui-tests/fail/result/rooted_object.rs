#![allow(unused)]

use hostref::{Result, Rooted, host_module};

struct Text(String);

struct Env;

#[host_module(name = "env")]
impl Env {
    fn text() -> Rooted<Text> {
        panic!()
    }

    fn find() -> Result<Option<Rooted<Text>>> {
        panic!()
    }
}

fn main() {}
