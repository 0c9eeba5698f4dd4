#![allow(unused)]

use hostref::{GcArray, GcStruct};

#[derive(GcStruct)]
struct User {
    age: Option<u32>,
}

#[derive(GcArray)]
struct Flags(Vec<Option<bool>>);

fn main() {}
