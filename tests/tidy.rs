//! The house rules of ARCHITECTURE.md, checked over the source files.

#[test]
fn placeholder() {}
