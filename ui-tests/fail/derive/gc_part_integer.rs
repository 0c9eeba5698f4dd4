#![allow(unused)]

use hostref::{GcArray, GcStruct};

#[derive(GcStruct)]
struct Place {
    index: usize,
}

#[derive(GcArray)]
#[gc(mut)]
struct Hashes(Vec<u128>);

fn main() {}
