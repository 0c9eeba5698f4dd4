#![allow(unused)]

use hostref::{ExternRef, Result, Store};

struct Plain;

fn make(store: &mut Store<()>) -> Result<()> {
    ExternRef::object(store, Plain)?;
    Ok(())
}

fn main() {}
