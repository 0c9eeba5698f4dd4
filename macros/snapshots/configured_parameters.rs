//! A parameter under `#[cfg]`: the function is registered in one of two forms.

#[host_module(name = "env")]
impl Env {
    fn log(level: i32, #[cfg(feature = "places")] line: u32, #[cfg(feature = "places")] column: u32) {}
}
