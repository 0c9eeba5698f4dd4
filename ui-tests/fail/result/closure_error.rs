#![allow(unused)]

use hostref::{Func, Store};

#[derive(Debug)]
struct Refused;

impl std::fmt::Display for Refused {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("refused")
    }
}

impl std::error::Error for Refused {}

fn main() {
    let mut store = Store::<()>::default();
    Func::wrap(&mut store, || -> Result<i32, Refused> { Err(Refused) });
}
