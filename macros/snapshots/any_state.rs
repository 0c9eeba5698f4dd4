//! State of any store: the data's type is a parameter of the function that links.

#[host_module(receiver = "state")]
impl Log {
    fn last(&self) -> i32 {
        self.0
    }
}
