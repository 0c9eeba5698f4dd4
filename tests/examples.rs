//! Every example runs and prints what its documentation says.

use std::path::PathBuf;
use std::process::Command;

/// The standard output of an example, which `cargo test` has built beside the tests.
fn run(example: &str) -> String {
    let test = std::env::current_exe().expect("the path of this test");
    let profile = test.parent().and_then(|deps| deps.parent()).expect("target/<profile>/deps");
    let binary: PathBuf = profile.join("examples").join(example);
    let output = Command::new(&binary).output();
    let output = output.unwrap_or_else(|error| panic!("{}: {error}", binary.display()));
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("examples print text")
}

#[test]
fn concat_joins_two_host_strings() {
    assert_eq!(run("concat"), "Hello, World!\n");
}

#[test]
fn the_seed_s_example_runs_and_prints_the_same() {
    assert_eq!(run("seed"), run("concat"));
}

#[test]
fn counter_refuses_one_object_borrowed_twice() {
    let output = run("counter");
    let lines: Vec<&str> = output.lines().collect();
    assert_eq!(lines[..2], ["counted to 42", "merged: 142 and 0"]);
    assert!(lines[2].starts_with("refused: "), "{output}");
    assert!(lines[2].contains("already mutably borrowed"), "{output}");
    assert!(lines[2].contains("parameter `into` of `counters::merge`"), "{output}");
    assert_eq!(lines[3], "still 142");
}

#[test]
fn plugins_run_on_threads_and_the_one_that_hangs_is_stopped() {
    let expected = "\
        squares: served 3 requests, answers [1, 4, 9]\n\
        hangs: stopped: wasm trap: interrupt, answers [16]\n\
        large: served 1 requests, answers [10000]\n";
    assert_eq!(run("plugin"), expected);
}

#[test]
fn text_goes_through_memory_and_documents_by_reference() {
    let expected = "\
        refused: a far too long line that the plug-in refuses\n\
        BE brief\n\
        TO be or not\n\
        äöü too\n\
        longest line: 12\n";
    assert_eq!(run("plugins"), expected);
}

#[test]
fn shapes_are_shared_with_the_guest() {
    let expected = "\
        from 7, 0 to 11, 2\n\
        a circle of 0.5 at 11, 2\n\
        a circle of 9 at 0, 0\n\
        \"here\" at 7, 0\n";
    assert_eq!(run("gc_shapes"), expected);
}
