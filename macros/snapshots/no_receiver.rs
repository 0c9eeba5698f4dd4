//! Methods without a word about `self`: one message, and the rest is registered.

#[host_module]
impl Counter {
    fn get(&self) -> i32 {
        0
    }

    fn set(&mut self) {}

    fn good() {}
}
