//! A key that is none: what is left is the error.

use hostref::GcStruct;

#[derive(GcStruct)]
struct Job {
    #[gc(mutable)]
    new: u32,
}
