#![allow(unused)]

use hostref::{Caller, host_module};

struct Log(Vec<i32>);

#[host_module(receiver = "state", state = Log)]
impl Log {
    fn push(&mut self, cx: &mut Caller<'_, Log>, code: i32) {}
}

fn main() {}
