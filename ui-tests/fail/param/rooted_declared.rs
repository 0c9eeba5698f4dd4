#![allow(unused)]

use hostref::{GcStruct, Rooted, host_module};

#[derive(GcStruct)]
struct Point {
    x: f64,
}

struct Env;

#[host_module(name = "env")]
impl Env {
    fn plot(point: Rooted<Point>) {}

    fn maybe(point: Option<Rooted<Point>>) {}

    fn twice(point: Rooted<PointRef>) {}
}

fn main() {}
