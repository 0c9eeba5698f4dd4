#![allow(unused)]

use hostref::host_module;

struct Env;

#[host_module(name = "env", rename_all = "kebab-case")]
impl Env {
    fn log_line() {}

    #[allow(non_snake_case)]
    fn logLine() {}
}

fn main() {}
