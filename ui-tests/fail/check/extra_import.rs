#![allow(unused)]

use hostref::host_module;

struct Text(String);

#[host_module(receiver = "object", check = "guests/text.wat")]
impl Text {
    fn len(&self) -> u32 {
        self.0.len() as u32
    }

    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

fn main() {}
