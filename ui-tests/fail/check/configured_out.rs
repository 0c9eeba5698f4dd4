#![allow(unused)]

use hostref::{host_module, wasm_exports};

struct Text(String);

#[host_module(receiver = "object", rename_all = "kebab-case", check = "guests/text.wat")]
impl Text {
    fn len(&self) -> u32 {
        0
    }

    fn is_empty(&self, #[cfg(all())] strict: bool) -> bool {
        true
    }

    #[cfg(any())]
    fn find(&self, from: u32, to: u32) -> u64 {
        0
    }
}

#[wasm_exports(check = "guests/env.wat")]
struct Guest {
    stop: fn(),
    #[cfg(all())]
    restart: fn(),
}

fn main() {}
