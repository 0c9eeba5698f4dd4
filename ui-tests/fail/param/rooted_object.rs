#![allow(unused)]

use hostref::{ManuallyRooted, Rooted, host_module};

struct Text(String);

struct Env;

#[host_module(name = "env")]
impl Env {
    fn log(text: Rooted<Text>) {}

    fn maybe(text: Option<Rooted<Text>>) {}

    fn keep(n: i32, text: ManuallyRooted<Text>) {}
}

fn main() {}
