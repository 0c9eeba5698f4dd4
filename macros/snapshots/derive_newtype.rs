//! Newtypes as Wasm values.

#[derive(WasmTy)]
struct Meters(f64);

#[derive(WasmTy)]
#[wasm(crate = renamed)]
struct Handle {
    raw: u32,
}
