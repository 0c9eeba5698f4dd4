//! Exports under `#[cfg]`.

#[cfg(unix)]
#[wasm_exports]
struct Guest {
    run: fn(),
    #[cfg(feature = "memory")]
    memory: Memory,
    #[cfg(not(feature = "memory"))]
    #[export(name = "memory")]
    no_memory: Option<Memory>,
}
