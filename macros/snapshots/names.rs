//! Names in Wasm, and functions that have none.

#[host_module(name = "my env", rename_all = "kebab-case")]
impl Env {
    fn log_line() {}

    #[host(name = "print")]
    fn log_number(number: i32) {}

    fn r#match(r#type: i32) {}

    #[host(skip)]
    fn helper<T>(t: T) {}

    const LIMIT: i32 = 1;
}
