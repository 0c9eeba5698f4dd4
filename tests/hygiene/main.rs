//! Generated code in the strictest of crates, as rustc and clippy see it: nothing in scope, no unsafe code,
//! all lints on. What the macros accept otherwise is in `ui-tests/pass`.

#![no_implicit_prelude]
#![forbid(unsafe_code)]
#![deny(warnings, missing_docs, unreachable_pub, rust_2018_idioms, clippy::all)]

extern crate hostref as renamed;

mod by_macro;
mod elsewhere;
pub mod kinds;
pub mod strict;
mod twice;
