//! The CLIF of representatives of every operator family, as files: a change of the code that is
//! generated shows in review. `HOSTREF_BLESS=1 cargo test -p hostref --lib snapshot` rewrites them.

use std::path::PathBuf;
use std::{env, fs};

use super::*;

/// A family's name, what its code is compiled with, and the module whose first function is shown.
type Case = (&'static str, fn(&mut Tunables), &'static str);

const CASES: &[Case] = &[
    (
        "block",
        plain,
        "(module (func (param i32) (result i32)
            (block $b (result i32)
                (if (result i32) (local.get 0)
                    (then (br_if $b (i32.const 1) (local.get 0)))
                    (else (i32.const 2))))))",
    ),
    (
        "loop",
        plain,
        "(module (func (param i32) (result i32) (local i32)
            (loop $l
                (local.set 1 (i32.add (local.get 1) (local.get 0)))
                (br_if $l (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))
            (local.get 1)))",
    ),
    (
        "br_table",
        plain,
        "(module (func (param i32) (result i32)
            (block $a (result i32) (block $b
                (i32.const 7) (br_table $a $a $a (local.get 0))) (i32.const 8))))",
    ),
    (
        "branch_hint",
        plain,
        r#"(module (func $f (param i32)
            (block $rare
                (@metadata.code.branch_hint "\00") (br_if $rare (local.get 0))
                (@metadata.code.branch_hint "\01") (if (local.get 0) (then) (else (call $f (i32.const 2))))
                (return))
            (call $f (i32.const 1))))"#,
    ),
    (
        "call",
        plain,
        r#"(module (import "" "" (func $host (param i32) (result i32)))
            (func (param i32) (result i32) (call $f (call $host (local.get 0))))
            (func $f (param i32) (result i32) (return_call $f (local.get 0))))"#,
    ),
    (
        "call_indirect",
        plain,
        "(module (type $t (func (param i32) (result i32))) (table 1 funcref)
            (func (param i32) (result i32) (call_indirect (type $t) (local.get 0) (local.get 0))))",
    ),
    (
        "call_indirect_subtype",
        plain,
        "(module (type $t (sub (func))) (type $u (sub $t (func))) (table 1 funcref)
            (func (param i32) (return_call_indirect (type $u) (local.get 0))))",
    ),
    (
        "call_ref",
        plain,
        "(module (type $t (func)) (func (param (ref null $t)) (call_ref $t (local.get 0))))",
    ),
    (
        "exception",
        plain,
        "(module (tag $t (param i32))
            (func (param i32) (result i32)
                (block $caught (result i32)
                    (try_table (catch $t $caught) (call $f))
                    (throw $t (local.get 0))))
            (func $f))",
    ),
    (
        "memory",
        plain,
        "(module (memory 1)
            (func (param i32) (result i32)
                (i32.store offset=8 (local.get 0) (i32.load8_s (local.get 0)))
                (memory.size)))",
    ),
    (
        "memory_checked",
        checked,
        "(module (memory 1)
            (func (param i32) (result i32)
                (i32.store offset=8 (local.get 0) (i32.load8_s (local.get 0)))
                (memory.size)))",
    ),
    (
        "memory_64",
        plain,
        "(module (memory i64 1)
            (func (param i64) (result i64)
                (i64.add (i64.load (local.get 0)) (i64.load offset=65536 (local.get 0)))))",
    ),
    (
        "memory_bulk",
        plain,
        "(module (memory 1)
            (func (param i32 i32 i32)
                (memory.copy (local.get 0) (local.get 1) (i32.const 20))
                (memory.fill (local.get 0) (local.get 1) (i32.const 7))
                (memory.copy (local.get 0) (local.get 1) (local.get 2))))",
    ),
    (
        "memory_bulk_checked",
        checked,
        "(module (memory 1)
            (func (param i32 i32)
                (memory.copy (local.get 0) (local.get 1) (i32.const 20))
                (memory.fill (local.get 0) (local.get 1) (i32.const 20))))",
    ),
    (
        "table",
        plain,
        "(module (table $f 1 funcref) (table $x i64 1 externref)
            (func (param i32 i64) (result funcref)
                (table.set $x (local.get 1) (table.get $x (local.get 1)))
                (table.get $f (local.get 0)))) ",
    ),
    (
        "table_bulk",
        plain,
        "(module (table $x 1 externref)
            (func (param i32 externref) (result i32)
                (table.fill $x (local.get 0) (local.get 1) (local.get 0))
                (table.grow $x (local.get 1) (table.size $x))))",
    ),
    (
        "global",
        plain,
        r#"(module (import "" "" (global $g (mut i64))) (global $x (mut externref) (ref.null extern))
            (func (result externref)
                (global.set $g (i64.add (global.get $g) (i64.const 1)))
                (global.get $x)))"#,
    ),
    (
        "integer",
        plain,
        "(module (func (param i32 i64) (result i64)
            (i64.div_s (i64.extend_i32_s (i32.rotl (local.get 0) (i32.const 3))) (local.get 1))))",
    ),
    (
        "float",
        plain,
        "(module (func (param f64) (result i32)
            (i32.add (i32.trunc_f64_s (f64.min (local.get 0) (f64.const 1)))
                (i32.trunc_sat_f64_u (local.get 0)))))",
    ),
    (
        "vector",
        plain,
        "(module (memory 1) (func (param i32 v128) (result i32)
            (i32x4.extract_lane 2 (i32x4.add (v128.load (local.get 0))
                (i8x16.shuffle 0 16 1 17 2 18 3 19 4 20 5 21 6 22 7 23 (local.get 1) (local.get 1))))))",
    ),
    (
        "reference",
        plain,
        r#"(module (import "" "" (func $gc)) (func $f (param externref) (result externref)
            (drop (ref.is_null (ref.func $f)))
            (call $gc)
            (ref.as_non_null (local.get 0))) (export "f" (func $f)))"#,
    ),
    (
        "struct",
        plain,
        "(module (type $t (struct (field i32) (field (mut (ref null $t))))) (func (param (ref $t)) (result i32)
            (struct.set $t 1 (local.get 0) (struct.new $t (i32.const 7) (local.get 0)))
            (struct.get $t 0 (local.get 0))))",
    ),
    (
        "array",
        plain,
        "(module (type $a (array (mut i16))) (func (param i32) (result i32) (local (ref $a))
            (local.set 1 (array.new $a (i32.const 3) (local.get 0)))
            (array.set $a (local.get 1) (local.get 0) (i32.const 8))
            (array.get_s $a (local.get 1) (i32.const 9))))",
    ),
    (
        "array_bulk",
        plain,
        "(module (type $a (array (mut i32))) (type $r (array (mut anyref)))
            (func (param (ref $a) (ref $r) i32)
                (array.fill $a (local.get 0) (i32.const 1) (i32.const 3) (local.get 2))
                (array.copy $r $r (local.get 1) (i32.const 0) (local.get 1) (i32.const 1) (local.get 2))))",
    ),
    (
        "cast",
        plain,
        "(module (type $a (sub (struct))) (type $b (sub $a (struct (field i32)))) (type $c (sub final $b (struct (field i32))))
            (func (param (ref null $a) anyref) (result i32)
                (drop (ref.cast (ref $b) (local.get 0)))
                (i32.add (ref.test (ref $c) (local.get 0)) (ref.test (ref $b) (local.get 1)))))",
    ),
    (
        "epoch",
        |tunables| tunables.epoch_interruption = true,
        "(module (func (param i32) (loop $l (br_if $l (local.get 0)))))",
    ),
    (
        "fuel",
        |tunables| tunables.consume_fuel = true,
        "(module (memory 1) (func (param i32)
            (loop $l (br_if $l (local.get 0)))
            (memory.fill (local.get 0) (i32.const 1) (i32.const 2))))",
    ),
];

fn plain(_: &mut Tunables) {}

fn checked(tunables: &mut Tunables) {
    tunables.reserve_memories = false;
}

#[test]
fn snapshots_are_up_to_date() {
    let bless = env::var_os("HOSTREF_BLESS").is_some();
    let mut differences = String::new();
    for case in CASES {
        let (path, actual) = (path(case.0), shown(case));
        if bless {
            fs::write(path, actual).unwrap();
            continue;
        }
        let expected = fs::read_to_string(&path).unwrap_or_default();
        if expected != actual {
            differences += &format!("\n{}.clif:\n{}", case.0, diff(&expected, &actual));
        }
    }
    assert!(
        differences.is_empty(),
        "the code that is generated has changed:\n{differences}\n\
         If that is meant, run `HOSTREF_BLESS=1 cargo test -p hostref --lib snapshot`."
    );
}

#[test]
fn every_snapshot_belongs_to_a_case() {
    let mut files: Vec<_> = fs::read_dir(path("").parent().unwrap())
        .unwrap()
        .map(|file| file.unwrap().path())
        .collect();
    let mut cases: Vec<_> = CASES.iter().map(|case| path(case.0)).collect();
    files.sort_unstable();
    cases.sort_unstable();
    assert_eq!(files, cases);
}

#[test]
fn a_difference_shows_the_lines_that_changed() {
    assert_eq!(diff("a\nb\nc\nd", "a\nx\nc\nd"), "  a\n- b\n+ x\n  c\n  d\n");
    assert_eq!(diff("", "a"), "+ a\n");
}

fn path(name: &str) -> PathBuf {
    let snapshots = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("src/compile/tests/snapshots");
    snapshots.join(format!("{name}.clif"))
}

/// The module and its code. Functions are named as in `RelocTarget`, for the numbers of builtins
/// change.
fn shown((_, configure, wat): &Case) -> String {
    let mut tunables = tunables();
    configure(&mut tunables);
    let module: String = wat.lines().map(|line| format!(";; {}\n", line.trim())).collect();
    let mut clif = clif_with(&tunables, wat);
    let builtins = Builtin::ALL.iter().map(|it| (RelocTarget::Builtin(*it), format!("{it:?} ")));
    for (target, to) in builtins.chain([(RelocTarget::Fill, "Fill ".into())]) {
        let name = target.name();
        clif = clif.replace(&format!("u{}:{} ", name.namespace, name.index), &to);
    }
    format!("{module}\n{clif}")
}

/// What has to go from and what has to come to `old` to make it `new`, line by line.
fn diff(old: &str, new: &str) -> String {
    let (old, new): (Vec<_>, Vec<_>) = (old.lines().collect(), new.lines().collect());
    // The length of the longest common subsequence of what is left from each pair of lines on.
    let mut common = vec![vec![0; new.len() + 1]; old.len() + 1];
    for i in (0..old.len()).rev() {
        for j in (0..new.len()).rev() {
            common[i][j] = if old[i] == new[j] {
                common[i + 1][j + 1] + 1
            } else {
                common[i + 1][j].max(common[i][j + 1])
            };
        }
    }
    let (mut i, mut j, mut text) = (0, 0, String::new());
    while i < old.len() || j < new.len() {
        if i < old.len() && j < new.len() && old[i] == new[j] {
            text += &format!("  {}\n", old[i]);
            (i, j) = (i + 1, j + 1);
        } else if j == new.len() || i < old.len() && common[i + 1][j] >= common[i][j + 1] {
            text += &format!("- {}\n", old[i]);
            i += 1;
        } else {
            text += &format!("+ {}\n", new[j]);
            j += 1;
        }
    }
    text
}
