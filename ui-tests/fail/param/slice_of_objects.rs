#![allow(unused)]

use hostref::{Copied, Ptr, host_module};

struct Text(String);

#[host_module(name = "env", state = ())]
impl Text {
    fn all(texts: &[Text]) {}

    fn flags(flags: &mut [bool]) {}

    fn copied(texts: Copied<[Text]>) {}

    fn out(at: Ptr<Text>) {}
}

fn main() {}
