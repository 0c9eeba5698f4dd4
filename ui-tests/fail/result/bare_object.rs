#![allow(unused)]

use hostref::host_module;

struct Text(String);

#[host_module]
impl Text {
    fn make() -> Text {
        Text(String::new())
    }

    fn maybe() -> Option<Text> {
        None
    }
}

fn main() {}
