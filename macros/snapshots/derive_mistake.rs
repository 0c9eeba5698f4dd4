//! An enum without representation: a message, and an impl that keeps its uses from being mistakes.

#[derive(WasmTy)]
enum Color {
    Red,
}
