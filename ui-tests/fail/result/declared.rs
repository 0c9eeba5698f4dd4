#![allow(unused)]

use hostref::{GcStruct, New, Result, Rooted, host_module};

#[derive(GcStruct)]
struct Point {
    x: f64,
}

struct Env;

#[host_module(name = "env")]
impl Env {
    fn origin() -> Point {
        panic!()
    }

    fn find() -> Result<Option<Point>> {
        panic!()
    }

    fn rooted() -> Rooted<Point> {
        panic!()
    }

    fn fresh() -> New<Point> {
        panic!()
    }
}

fn main() {}
