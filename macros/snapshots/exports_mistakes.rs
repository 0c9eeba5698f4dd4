//! Mistakes: the struct has all its methods, so that their uses are no further mistakes.

#[wasm_exports]
struct Guest {
    run: fn() -> Result<i32>,
    take: fn(text: &mut Text),
    good: fn(),
    instance: Memory,
}
