//! Enums as Wasm values.

#[derive(WasmTy)]
#[repr(u8)]
enum Color {
    Red = 1,
    Green,
}
