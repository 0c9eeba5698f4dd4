#![allow(unused)]

use hostref::{New, host_module};

struct Text(String);

struct Env;

#[host_module(name = "env")]
impl Env {
    fn log(text: New<Text>) {}

    fn read(text: &New<Text>) {}

    fn maybe(text: Option<New<Text>>) {}
}

fn main() {}
