#![allow(unused)]

use hostref::{GcStruct, Rooted};

struct Text(String);

#[derive(GcStruct)]
struct Holder {
    text: Rooted<Text>,
    #[gc(mut)]
    other: Option<Rooted<Text>>,
}

fn main() {}
