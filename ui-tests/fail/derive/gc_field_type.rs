#![allow(unused)]

use hostref::{GcArray, GcStruct};

struct Plain;

#[derive(GcStruct)]
struct User {
    name: String,
    #[gc(mut)]
    friend: Option<Plain>,
    index: usize,
}

#[derive(GcArray)]
struct Names(Vec<String>);

fn main() {}
