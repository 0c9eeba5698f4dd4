//! What the macros accept and what they say: `ui-tests/pass` compiles and runs, each file under
//! `ui-tests/fail/<area>` fails with exactly the text beside it.
//!
//! `TRYBUILD=overwrite cargo test --test ui` writes the texts anew; read them before committing.

use std::fs;
use std::path::Path;

#[test]
fn macros_accept_and_explain() {
    copy_guests();
    let cases = trybuild::TestCases::new();
    cases.pass("ui-tests/pass/*.rs");
    cases.compile_fail("ui-tests/fail/*/*.rs");
}

/// Puts the guests of `ui-tests/fail/check` where `check` finds them: the cases are compiled as a
/// package of their own, whose folder this is.
fn copy_guests() {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().expect("a folder of its own");
    let folder = target.join("tests/trybuild").join(env!("CARGO_PKG_NAME")).join("guests");
    fs::create_dir_all(&folder).unwrap();
    for guest in fs::read_dir("ui-tests/guests").unwrap() {
        let guest = guest.unwrap();
        fs::copy(guest.path(), folder.join(guest.file_name())).unwrap();
    }
}
