#![allow(unused)]

use hostref::{GcStruct, host_module};

#[derive(GcStruct)]
struct Point {
    x: f64,
}

struct Env;

#[host_module(name = "env")]
impl Env {
    fn plot(point: Point) {}

    fn origin() -> Point {
        Point { x: 0.0 }
    }
}

fn main() {}
