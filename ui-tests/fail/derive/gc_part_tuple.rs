#![allow(unused)]

use hostref::{GcArray, GcStruct};

#[derive(GcStruct)]
struct Line {
    from: (f64, f64),
}

#[derive(GcArray)]
struct Lines(Vec<(f64, f64)>);

fn main() {}
