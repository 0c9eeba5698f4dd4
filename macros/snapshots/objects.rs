//! Objects: `self` and arguments, shared, exclusive and nullable.

#[host_module(receiver = "object")]
impl Counter {
    fn get(&self) -> i64 {
        self.0
    }

    fn add(&mut self, other: &Counter, by: u32) {
        self.0 += other.0;
    }

    fn swap(a: &mut Counter, b: Option<&mut Counter>) {}
}
