//! Limits that both sides are given, so that both refuse the same.

/// Bytes of one memory.
pub const MEMORY_BYTES: u64 = 4 << 20;

/// Elements of one table.
pub const TABLE_ELEMENTS: u64 = 5_000;

/// Bytes of stack for guests: more than calls need whose number is limited by the fuel, so that
/// frames of different sizes make no difference.
pub const STACK_BYTES: usize = 64 << 20;

/// Bytes of stack for guests of which some run out.
pub const SHALLOW_STACK_BYTES: usize = 20 << 10;

/// Bytes of stack of the thread that runs the cases.
pub const THREAD_STACK_BYTES: usize = 128 << 20;

/// How deep host functions call back into the guest.
pub const HOST_DEPTH: usize = 3;
