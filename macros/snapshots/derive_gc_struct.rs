//! Struct types of a guest: an open one, and its subtype in one recursion group.

use hostref::GcStruct;

/// What has a place.
#[derive(GcStruct)]
#[gc(open, handle = ShapeHandle, group = (Shape, Circle))]
pub struct Shape {
    /// Where it is.
    pub x: f64,
    #[gc(mut, packed)]
    hidden: bool,
}

#[derive(GcStruct)]
#[gc(group = (Shape, Circle))]
struct Circle {
    #[gc(base)]
    shape: Shape,
    #[gc(mut)]
    r#type: Option<CircleRef>,
}
