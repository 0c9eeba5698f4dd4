#![allow(unused)]

use hostref::{Engine, Linker, host_module};

struct Env;

#[host_module(nmae = "env")]
impl Env {
    fn log(code: i32) {}
}

fn main() {
    let mut linker: Linker<()> = Linker::new(&Engine::default());
    Env::add_to_linker(&mut linker).unwrap();
}
