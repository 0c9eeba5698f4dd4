//! The switches of the features that modules may use, by name, and which of them a module that was
//! refused would have needed. Decides nothing about validity.

use wasmparser::WasmFeatures;

use super::decode::validate;
use crate::Error;

/// What each switch of `Config` lets through.
const SWITCHES: &[(&str, WasmFeatures)] = &[
    ("wasm_reference_types", WasmFeatures::REFERENCE_TYPES),
    ("wasm_bulk_memory", WasmFeatures::BULK_MEMORY),
    ("wasm_multi_value", WasmFeatures::MULTI_VALUE),
    ("wasm_multi_memory", WasmFeatures::MULTI_MEMORY),
    ("wasm_tail_call", WasmFeatures::TAIL_CALL),
    ("wasm_exceptions", WasmFeatures::EXCEPTIONS),
    ("wasm_extended_const", WasmFeatures::EXTENDED_CONST),
    ("wasm_simd", WasmFeatures::SIMD),
    ("wasm_relaxed_simd", WasmFeatures::RELAXED_SIMD),
    ("wasm_function_references", WasmFeatures::FUNCTION_REFERENCES),
    ("wasm_gc", WasmFeatures::GC),
    ("wasm_memory64", WasmFeatures::MEMORY64),
    ("wasm_threads", WasmFeatures::THREADS),
    ("wasm_custom_page_sizes", WasmFeatures::CUSTOM_PAGE_SIZES),
    ("wasm_wide_arithmetic", WasmFeatures::WIDE_ARITHMETIC),
];

/// The switches that let `features` through.
pub(crate) fn switches(features: WasmFeatures) -> impl Iterator<Item = &'static str> {
    let on = SWITCHES.iter().filter(move |(_, feature)| features.contains(*feature));
    on.map(|(switch, _)| *switch)
}

/// What no switch lets through, but compilers still emit.
const UNSUPPORTED: &[(&str, WasmFeatures)] = &[(
    "the module uses legacy exceptions, which are not supported: `try_table` has replaced them",
    WasmFeatures::LEGACY_EXCEPTIONS,
)];

/// Adds to the `error` of `wasm` the feature without which validation stopped where it did.
pub(crate) fn explain(error: Error, wasm: &[u8], features: WasmFeatures) -> Error {
    let Some(place) = offset(&error) else { return error };
    let helps = |feature: WasmFeatures| {
        !features.contains(feature)
            && match validate(wasm, features.union(feature)) {
                Ok(()) => true,
                Err(error) => offset(&error).is_some_and(|further| further > place),
            }
    };
    if let Some((switch, _)) = SWITCHES.iter().find(|(_, feature)| helps(*feature)) {
        let text = format!("{error}: the feature is switched off, see `Config::{switch}`");
        return error.context(text);
    }
    if let Some((reason, _)) = UNSUPPORTED.iter().find(|(_, feature)| helps(*feature)) {
        return error.context(format!("{reason} (at offset {place:#x})"));
    }
    error
}

/// Where in the module validation stopped.
fn offset(error: &Error) -> Option<u64> {
    Some(error.downcast_ref::<wasmparser::BinaryReaderError>()?.offset())
}
