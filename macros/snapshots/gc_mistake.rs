//! After a mistake there is only the message.

#[derive(GcStruct)]
struct Late {
    radius: f64,
    #[gc(base)]
    shape: Shape,
}
