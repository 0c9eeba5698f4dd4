#![allow(unused)]

use hostref::host_module;

struct Text(String);

struct Files;

#[host_module(name = "texts", check = "guests/text.wat")]
impl Text {
    fn len(text: &Text) -> u32 {
        text.0.len() as u32
    }
}

#[host_module(check = "guests/env.wat")]
impl Files {
    fn open() {}
}

fn main() {}
