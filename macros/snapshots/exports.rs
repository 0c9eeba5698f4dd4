//! Functions that a guest exports.

/// The guest.
#[wasm_exports]
#[derive(Clone)]
pub struct Guest {
    /// Runs.
    pub run: fn(a: Rooted<ExternRef<Text>>, n: i32) -> i64,
    pub(crate) split: fn(i32, _: i32) -> (i32, i32),
}
