//! A struct that extends another.

#[derive(GcStruct)]
#[gc(handle = Ball, crate = renamed)]
struct BallOf {
    #[gc(base)]
    shape: Shape,
    radius: f64,
}
