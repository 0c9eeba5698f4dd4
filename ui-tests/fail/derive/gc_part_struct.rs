#![allow(unused)]

use hostref::{GcStruct, Rooted};

#[derive(GcStruct)]
struct Point {
    x: f64,
}

#[derive(GcStruct)]
struct Line {
    from: Point,
    #[gc(mut)]
    to: Option<Point>,
    by: Rooted<Point>,
    next: Option<Box<Line>>,
}

fn main() {}
