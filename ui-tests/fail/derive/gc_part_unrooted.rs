#![allow(unused)]

use hostref::{AnyRef, ExternRef, GcStruct, StructRef};

#[derive(GcStruct)]
struct Holder {
    any: AnyRef,
    #[gc(mut)]
    record: Option<StructRef>,
    object: ExternRef,
}

fn main() {}
