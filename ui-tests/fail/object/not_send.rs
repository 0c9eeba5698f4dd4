#![allow(unused)]

use std::rc::Rc;

use hostref::HostObject;

#[derive(HostObject)]
struct Shared(Rc<i32>);

fn main() {}
