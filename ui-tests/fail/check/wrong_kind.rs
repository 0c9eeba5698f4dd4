#![allow(unused)]

use hostref::host_module;

struct Env;

#[host_module(name = "env", check = "guests/env.wat")]
impl Env {
    fn log(code: i32) {}

    fn bump(counter: &mut Env, by: i64) -> i64 {
        by
    }

    fn divide(a: i32, b: i32) -> (i32, i32) {
        (a / b, a % b)
    }

    fn memory() {}
}

fn main() {}
