#![allow(unused)]

use hostref::{GcStruct, host_module};

#[derive(GcStruct)]
struct Point {
    x: f64,
}

#[host_module(receiver = "object")]
impl PointRef {
    fn plot(&self) {}
}

fn main() {}
