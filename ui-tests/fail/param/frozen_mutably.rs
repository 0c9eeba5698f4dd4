#![allow(unused)]

use hostref::{HostObject, host_module};

#[derive(HostObject)]
#[host_object(frozen)]
struct Palette(Vec<u32>);

#[host_module(receiver = "object")]
impl Palette {
    fn push(&mut self, color: u32) {}

    fn clear(palette: &mut Palette) {}

    fn maybe(palette: Option<&mut Palette>) {}

    fn fine(&self, other: &Palette) {}
}

fn main() {}
