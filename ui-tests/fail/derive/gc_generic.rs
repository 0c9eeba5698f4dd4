#![allow(unused)]

use hostref::{GcArray, GcStruct};

#[derive(GcStruct)]
struct Cell<T> {
    value: T,
}

#[derive(GcArray)]
struct List<T>(Vec<T>);

fn main() {}
