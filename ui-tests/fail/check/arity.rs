#![allow(unused)]

use hostref::host_module;

struct Text(String);

#[host_module(receiver = "object", rename_all = "kebab-case", check = "guests/text.wat")]
impl Text {
    fn len(&self, unit: u32) -> u32 {
        0
    }

    fn is_empty() -> bool {
        true
    }

    fn find(&self, byte: u32) -> u64 {
        0
    }
}

fn main() {}
