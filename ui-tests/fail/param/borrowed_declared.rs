#![allow(unused)]

use hostref::{GcArray, GcStruct, Take, host_module};

#[derive(GcStruct)]
struct Point {
    x: f64,
}

#[derive(GcArray)]
struct Row(Vec<f64>);

struct Env;

#[host_module(name = "env")]
impl Env {
    fn plot(point: &Point) {}

    fn shift(point: &mut Point) {}

    fn sum(row: Option<&Row>) {}

    fn own(point: Take<Point>) {}
}

fn main() {}
