#![allow(unused)]

use hostref::GcStruct;

#[derive(GcStruct)]
#[gc(open)]
struct Shape {
    id: u32,
}

#[derive(GcStruct)]
struct Late {
    radius: f64,
    #[gc(base)]
    shape: Shape,
}

#[derive(GcStruct)]
struct Changing {
    #[gc(base, mut)]
    shape: Shape,
}

#[derive(GcStruct)]
struct Final {
    id: u32,
}

#[derive(GcStruct)]
struct Extended {
    #[gc(base)]
    of: Final,
}

fn main() {}
