#![allow(unused)]

use hostref::{host_module};

struct Text(String);

struct Env;

#[host_module(name = "env")]
impl Env {
    fn log(text: Option<Text>) {}

    fn seek(position: Option<usize>) {}
}

fn main() {}
