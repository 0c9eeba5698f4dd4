#![allow(unused)]

use hostref::{GcArray, GcStruct, StructRef};

struct Text(String);

#[derive(GcStruct)]
struct Point {
    x: f64,
}

#[derive(GcArray)]
#[gc(mut)]
struct Texts(Vec<Text>);

#[derive(GcArray)]
struct Points {
    all: Box<[Point]>,
}

#[derive(GcArray)]
#[gc(mut)]
struct Records(Vec<Option<StructRef>>);

#[derive(GcArray)]
#[gc(packed)]
struct Bytes(Vec<u8>);

fn main() {}
