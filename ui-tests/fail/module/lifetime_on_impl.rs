#![allow(unused)]

use hostref::host_module;

struct View<'a>(&'a str);

#[host_module(receiver = "object")]
impl<'a> View<'a> {
    fn len(&self) -> u32 {
        self.0.len() as u32
    }
}

fn main() {}
