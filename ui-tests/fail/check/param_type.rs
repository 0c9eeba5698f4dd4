#![allow(unused)]

use hostref::host_module;

struct Text(String);

type Length = i64;

#[host_module(receiver = "object", rename_all = "kebab-case", check = "guests/text.wat")]
impl Text {
    fn len(number: i32) -> u32 {
        0
    }

    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn find(&self, pattern: &Text, from: Length) -> u64 {
        0
    }
}

fn main() {}
