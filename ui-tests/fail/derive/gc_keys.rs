#![allow(unused)]

use hostref::{GcArray, GcStruct};

#[derive(GcStruct)]
#[gc(mut)]
struct Point {
    x: f64,
}

#[derive(GcStruct)]
struct Circle {
    #[gc(mutable)]
    radius: f64,
    #[gc(open)]
    id: u32,
    #[gc(mut = true)]
    name: u32,
}

#[derive(GcArray)]
#[gc(handle = "Samples", group = Other, mut, mut)]
struct Sample(Vec<f64>);

#[derive(GcArray)]
struct Bytes(#[gc(mut)] Vec<u8>);

#[derive(GcStruct)]
struct Configured {
    #[cfg(all())]
    x: f64,
}

fn main() {}
