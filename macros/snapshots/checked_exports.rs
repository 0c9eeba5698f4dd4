//! Exports that are checked against a guest.

#[wasm_exports(check = "snapshots/guest.wat")]
struct Guest {
    run: fn(n: i64) -> (),
    hook: Option<fn()>,
    memory: Memory,
    none: Option<Table>,
    #[cfg(feature = "stop")]
    stop: fn(),
}
