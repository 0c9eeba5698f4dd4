#![allow(unused)]

use hostref::{HostCx, HostObject, host_module};

#[derive(HostObject)]
#[host_object(frozen)]
struct Frozen;

struct Env;

#[host_module(name = "env")]
impl Env {
    fn own(text: String) {}

    fn many(objects: &[Env]) {}

    fn change(frozen: &mut Frozen) {}

    fn beside(cx: &mut HostCx<'_, ()>, text: &str) {}

    #[host(errno)]
    fn open(path: &str) -> Result<u32, i32> {
        Ok(0)
    }

    fn low(#[host(wrap)] n: u64) {}
}

fn main() {}
