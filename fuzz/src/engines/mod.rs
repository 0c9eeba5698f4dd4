//! The two sides. Their APIs have the same names, so the steps of a run stand once, in `driver.rs`,
//! and are compiled against each; where they differ stands in each side's own file.

pub mod hostref;
pub mod observation;
pub mod wasmtime;
