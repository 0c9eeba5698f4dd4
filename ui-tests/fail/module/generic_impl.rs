#![allow(unused)]

use hostref::host_module;

struct List<T>(Vec<T>);

#[host_module(receiver = "object")]
impl<T: Send + Sync + 'static> List<T> {
    fn len(&self) -> u32 {
        self.0.len() as u32
    }
}

fn main() {}
