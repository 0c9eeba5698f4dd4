//! Array types of a guest: read-only, and packed ones that may be written.

use hostref::GcArray;

#[derive(GcArray)]
pub struct Samples(Box<[f64]>);

#[derive(GcArray)]
#[gc(mut, packed)]
struct Flags {
    all: Vec<bool>,
}
