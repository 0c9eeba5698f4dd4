#![allow(unused)]

use hostref::HostObject;

#[derive(HostObject)]
#[host_object(size = Bytes::count)]
struct Bytes(Vec<u8>);

impl Bytes {
    fn count(&self) -> u32 {
        self.0.len() as u32
    }
}

fn main() {}
