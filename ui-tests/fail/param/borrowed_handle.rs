#![allow(unused)]

use hostref::{GcStruct, host_module};

#[derive(GcStruct)]
struct Point {
    x: f64,
}

// By its traits, not by its name.
type Place = PointRef;

struct Env;

#[host_module(name = "env")]
impl Env {
    fn plot(point: &PointRef) {}

    fn shift(point: &mut PointRef, by: f64) {}

    fn color(by: i32, point: Option<&Place>) {}
}

fn main() {}
