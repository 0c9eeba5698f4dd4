//! Lifetimes that a function declares are inferred in generated code.

#[host_module(name = "env")]
impl Env {
    fn longest<'a, 'b: 'a>(a: &'a Text, b: &'b Text, f: Holder<'static>) -> i32 {
        0
    }
}
