//! Where functions begin: short loops lie in one line, whatever is before them in their function or before
//! that in the text.

use super::*;

/// A function with `before` stores ahead of a short loop.
fn with_loop(before: usize) -> String {
    let store = |at| format!("(i32.store (i32.const {at}) (local.get 0))");
    let stores: String = (0..before).map(store).collect();
    format!(
        "(func (param i32) {stores} (loop $next
            (i32.store8 (local.get 0) (i32.const 0))
            (br_if $next (local.tee 0 (i32.sub (local.get 0) (i32.const 1))))))"
    )
}

/// The text of a module with these functions.
fn link_all(functions: &[String]) -> Artifact<'static> {
    let functions = compile(&format!("(module (memory 1) {})", functions.concat()));
    link(&*isa(), functions)
}

fn starts(artifact: &Artifact<'_>) -> Vec<u32> {
    artifact.tables.functions.iter().map(|function| function.start).collect()
}

/// The one conditional branch of a text that leads back, as where it leads and where it ends.
#[cfg(target_arch = "x86_64")]
fn loop_of(text: &[u8]) -> Range<usize> {
    let loops = text.windows(6).enumerate().filter_map(|(at, code)| {
        let &[0x0f, 0x80..0x90, ref to @ ..] = code else { return None };
        let to = i32::from_le_bytes(to.try_into().unwrap());
        let end = at + code.len();
        (-64..0).contains(&to).then(|| end.checked_add_signed(to as isize).unwrap()..end)
    });
    let loops: Vec<_> = loops.collect();
    let [code] = &*loops else { panic!("one loop, found {loops:?}") };
    code.clone()
}

#[test]
#[cfg(target_arch = "x86_64")]
fn a_short_loop_lies_in_one_line() {
    let mut elsewhere = 0;
    for before in 0..48 {
        let artifact = link_all(&[with_loop(before)]);
        let code = loop_of(&artifact.text);
        assert_eq!(code.start / 64, (code.end - 1) / 64, "{code:?} behind {before} stores");
        elsewhere += u32::from(starts(&artifact) != [0]);
    }
    assert!(elsewhere > 3, "only {elsewhere} loops would have crossed the end of a line");
}

#[test]
fn a_function_with_a_loop_has_the_same_place_in_a_line_behind_any_other() {
    let plain = "(func (param i32) (result i32) (local.get 0))".to_owned();
    for before in 0..48 {
        let [alone] = *starts(&link_all(&[with_loop(before)])) else { panic!("one function") };
        for others in 1..4 {
            let mut functions = vec![plain.clone(); others];
            functions.push(with_loop(before));
            let starts = starts(&link_all(&functions));
            assert_eq!(starts[others] % 64, alone % 64, "behind {others} functions");
        }
    }
}

#[test]
fn functions_without_loops_are_packed() {
    let functions = vec!["(func (param i32) (result i32) (local.get 0))".to_owned(); 3];
    let artifact = link_all(&functions);
    let functions = &artifact.tables.functions;
    let align = isa().function_alignment().minimum;
    for pair in functions.windows(2) {
        assert_eq!(pair[1].start, pair[0].end.next_multiple_of(align));
    }
}
