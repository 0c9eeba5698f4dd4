#![allow(unused)]

use hostref::{GcArray, GcStruct};

#[derive(GcStruct)]
enum Shape {
    Point,
}

#[derive(GcStruct)]
struct Pair(i32, i32);

#[derive(GcArray)]
struct Bytes {
    low: Vec<u8>,
    high: Vec<u8>,
}

#[derive(GcArray)]
struct Number(u8);

fn main() {}
