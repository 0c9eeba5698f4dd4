//! State: `self` comes from the store's data.

#[host_module(receiver = "state", state = App)]
impl Log {
    fn push(&mut self, code: i32) {
        self.0.push(code);
    }

    fn stateless(code: i32) -> i32 {
        code
    }
}
