//! What compiled code touches and how it is entered and left: contexts, raw memories, published
//! code, faults, frames. Obeys `abi`; knows nothing of how code is compiled, of instances, or of
//! the garbage collector.
//!
//! # Contract
//!
//! * Code runs only inside the code arena ([`code_memory`]), and every frame between an entry
//!   trampoline and the exit trampoline or the fault belongs to code with a registered `CodeMap`
//!   and keeps the frame-pointer chain.
//! * An [`Activation`](context::Activation) lives in the frame of its entry trampoline, so the
//!   list that starts in `VmStore::activation` names live frames only.
//! * The `Cell`s of a [`VmStore`](context::VmStore) are written by the thread that has exclusive
//!   access to the store, and by the compiled code that this thread runs.

pub(crate) mod code_memory;
pub(crate) mod context;
pub(crate) mod entry;
mod exceptions;
pub(crate) mod fill;
pub(crate) mod image;
pub(crate) mod memory;
pub(crate) mod pool;
pub(crate) mod reservation;
pub(crate) mod shared_memory;
pub(crate) mod signals;
pub(crate) mod stack;
mod sys;
mod touched;
pub(crate) mod type_table;
pub(crate) mod unwind;
pub(crate) mod value;
