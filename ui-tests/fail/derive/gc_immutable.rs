#![allow(unused)]

use hostref::{GcArray, GcStruct, Result, Store};

#[derive(GcStruct)]
struct Point {
    x: f64,
}

#[derive(GcArray)]
struct Samples(Vec<f64>);

fn change(store: &mut Store<()>, point: PointRef, samples: SamplesRef) -> Result<()> {
    point.set_x(&mut *store, 1.0)?;
    samples.set(&mut *store, 0, 1.0)?;
    Ok(())
}

fn copy(store: &mut Store<()>) -> Result<SamplesRef> {
    SamplesRef::from_slice(store, &[1_u8])
}

fn main() {}
