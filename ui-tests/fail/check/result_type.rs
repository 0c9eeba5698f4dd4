#![allow(unused)]

use hostref::{New, Result, host_module};

struct Text(String);

#[host_module(receiver = "object", rename_all = "kebab-case", check = "guests/text.wat")]
impl Text {
    fn len(&self) -> u64 {
        0
    }

    fn is_empty(&self) {}

    fn find(&self, a: u32, b: u32) -> Result<(u32, u32)> {
        Ok((a, b))
    }
}

fn main() {}
