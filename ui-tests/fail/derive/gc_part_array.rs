#![allow(unused)]

use hostref::{GcArray, GcStruct};

#[derive(GcStruct)]
struct Path {
    points: Vec<f64>,
    #[gc(mut)]
    color: [u8; 4],
}

#[derive(GcArray)]
struct Matrix(Vec<Vec<f64>>);

fn main() {}
