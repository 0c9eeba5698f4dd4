//! Spans of the `tracing` crate around calls, with the feature `tracing`; without it, nothing. Generated
//! code is the same in both cases.

/// As long as it lives, the call of a host function goes on.
#[cfg(feature = "tracing")]
pub(super) fn host_function(module: &'static str, name: &'static str) -> impl Drop + use<> {
    tracing::trace_span!("host function", module, name).entered()
}

/// As long as it lives, the call of an export goes on.
#[cfg(feature = "tracing")]
pub(super) fn export(name: &'static str) -> impl Drop + use<> {
    tracing::trace_span!("export", name).entered()
}

/// No span.
#[cfg(not(feature = "tracing"))]
pub(super) struct NoSpan;

#[cfg(not(feature = "tracing"))]
#[inline(always)]
pub(super) fn host_function(_module: &'static str, _name: &'static str) -> NoSpan {
    NoSpan
}

#[cfg(not(feature = "tracing"))]
#[inline(always)]
pub(super) fn export(_name: &'static str) -> NoSpan {
    NoSpan
}
