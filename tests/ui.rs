//! What the macros accept and what they say: `ui-tests/pass` compiles and runs, each file under
//! `ui-tests/fail/<area>` fails with exactly the text beside it.
//!
//! `TRYBUILD=overwrite cargo test --test ui` writes the texts anew; read them before committing.

#[test]
fn macros_accept_and_explain() {
    let cases = trybuild::TestCases::new();
    cases.pass("ui-tests/pass/*.rs");
    cases.compile_fail("ui-tests/fail/*/*.rs");
}
