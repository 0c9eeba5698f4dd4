//! The runtime by another name.

#[host_module(name = "env", crate = crate::runtime)]
impl Env {
    fn log(code: i32) -> i32 {
        code
    }
}
