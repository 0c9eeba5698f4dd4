//! A second block on one type.

#[host_module(name = "math", link = "add_math_to_linker")]
impl Env {
    fn add(a: i32, b: i32) -> i32 {
        a + b
    }
}
