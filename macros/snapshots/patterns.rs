//! Parameters without a name of their own, and `self` with a type.

#[host_module(receiver = "object")]
impl Counter {
    fn set(self: &mut Self, _: i32, mut by: i32) {}
}
