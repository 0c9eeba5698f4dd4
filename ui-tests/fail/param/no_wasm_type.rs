#![allow(unused)]

use hostref::host_module;

struct Env;

struct Point {
    x: i32,
    y: i32,
}

#[host_module(name = "env")]
impl Env {
    fn plot(color: i32, point: Point) {}
}

fn main() {}
