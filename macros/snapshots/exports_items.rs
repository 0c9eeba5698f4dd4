//! Exports that are no functions.

#[wasm_exports]
struct Guest {
    /// The memory.
    pub memory: Memory,
    table: Option<Table>,
}
