//! Which features generated modules use: what hostref has not, or not yet, is one line here.

use wasm_smith::Config;

/// Structs, arrays, `i31` and casts. wasm-smith has no switch of their own for typed function
/// references: until this is on, they come from the directed generator alone.
pub const GC: bool = false;

/// Shared memories and atomic accesses.
pub const THREADS: bool = true;

/// Proposals that no runtime has on by default: memories with pages of one byte, 128-bit arithmetic.
pub const PROPOSALS: bool = true;

/// Restricts wasm-smith to what both sides have.
pub fn restrict(config: &mut Config) {
    config.gc_enabled = GC;
    config.threads_enabled = THREADS;
    config.custom_page_sizes_enabled = PROPOSALS;
    config.wide_arithmetic_enabled = PROPOSALS;
    config.custom_descriptors_enabled = false;
    config.compact_imports_enabled = false;
    config.shared_everything_threads_enabled = false;
    config.acquire_release_atomics_enabled = false;
    config.multibyte_array_access_enabled = false;
}
