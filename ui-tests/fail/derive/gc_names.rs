#![allow(unused)]

use hostref::GcStruct;

#[derive(GcStruct)]
struct Job {
    new: u32,
    load: u32,
}

fn main() {}
