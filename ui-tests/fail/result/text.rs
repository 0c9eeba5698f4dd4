#![allow(unused)]

use hostref::{Error, host_module};

struct Env;

#[host_module(name = "env")]
impl Env {
    fn name() -> String {
        String::new()
    }

    fn bytes(n: u32) -> Result<Vec<u8>, Error> {
        Ok(Vec::new())
    }

    fn size() -> usize {
        0
    }
}

fn main() {}
