//! Functions that a guest may export.

#[wasm_exports]
struct Guest {
    on_event: Option<fn(code: i32) -> bool>,
}
