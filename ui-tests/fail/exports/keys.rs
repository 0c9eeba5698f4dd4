#![allow(unused)]

use hostref::wasm_exports;

#[wasm_exports(rename = "kebab-case", state = App)]
struct Guest {
    #[export]
    run: fn(),
    #[export(nam = "stop")]
    stop: fn(),
    #[export(name = 3)]
    start: fn(),
}

fn main() {}
