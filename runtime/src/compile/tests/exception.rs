//! Exceptions: what stands in the tables, and that a throw to a handler at hand is a branch.

use super::*;
use crate::abi::code_map::Handler;
use crate::abi::layout::VmCtxLayout;
use crate::wasm::index::TagIndex;

const TWO_TAGS: &str = "(import \"\" \"a\" (tag $a (param i32))) (import \"\" \"b\" (tag $b))
    (tag $own (param i64 externref)) (func $f)";

/// The functions after `$f` in a module with these tags.
fn with_tags(functions: &str) -> Vec<CompiledFunction> {
    compile(&format!("(module {TWO_TAGS} {functions})")).split_off(1)
}

fn tags(handlers: &[Handler]) -> Vec<Option<u32>> {
    handlers.iter().map(|handler| handler.tag).collect()
}

#[test]
fn a_call_lists_the_handlers_in_scope_innermost_first() {
    let module = format!(
        "(module {TWO_TAGS} (func
            (call $f)
            (block (try_table (catch_all 0)
                (block $e (result exnref) (try_table (result exnref)
                        (catch $b 1) (catch $b 2) (catch_all_ref $e) (catch_all 1)
                    (call $f) (unreachable)))
                (drop)
                (call $f)))))"
    );
    let wasm = bytes(&module);
    let info = decode(&wasm, WasmFeatures::WASM3).unwrap().info;
    let layout = VmCtxLayout::new(&info);
    let tag = |index| Some(u32::try_from(layout.tag(TagIndex(index))).unwrap());
    let function = compile(&module).remove(1);
    let [inner, outer] = &function.call_sites[..] else { panic!("two calls have handlers") };
    // Clauses behind others of the same tag, or behind one for all, get nothing.
    assert_eq!(tags(&inner.handlers), [tag(1), None]);
    assert_eq!(tags(&outer.handlers), [None]);
    assert!(inner.ret < outer.ret);
}

#[test]
fn a_throw_to_a_handler_at_hand_is_a_branch() {
    let calls = |body: &str| -> Vec<RelocTarget> {
        let functions = with_tags(&format!("(func (param $o externref) (block $none {body}))"));
        let mut targets = targets(&functions[0]);
        targets.sort_unstable_by_key(|target| format!("{target:?}"));
        targets
    };
    let [new, throw] = [Builtin::GcAlloc, Builtin::Throw].map(RelocTarget::Builtin);
    // Nobody sees the exception: it is not made.
    assert_eq!(calls("(try_table (catch_all $none) (throw $b))"), []);
    assert_eq!(calls("(try_table (catch $b $none) (throw $b))"), []);
    let own = "(throw $own (i64.const 1) (local.get $o))";
    let caught = format!(
        "(block $e (result i64 externref exnref) (try_table (catch_ref $own $e) {own}) unreachable)
         (drop) (drop) (drop)"
    );
    assert_eq!(calls(&caught), [new]);
    // A tag of this module is none of its imports.
    assert_eq!(calls(&format!("(try_table (catch $b $none) (catch_all $none) {own})")), []);
    // Two imports may be the same tag.
    let unknown = "(try_table (catch $b $none) (catch_all $none) (throw $a (i32.const 1)))";
    assert_eq!(calls(unknown), [new, throw]);
    assert_eq!(calls("(throw $b)"), [new, throw]);
}

#[test]
fn a_clause_that_no_call_leads_to_has_no_code() {
    let functions = with_tags(
        "(func (block $e (result i32) (try_table (catch $a $e)) (i32.const 1)) (drop))
         (func (result i32) (i32.const 1) (drop) (i32.const 1))",
    );
    assert!(functions[0].call_sites.is_empty());
    assert_eq!(functions[0].code.len(), with_tags("(func)")[0].code.len());
}

#[test]
fn legacy_exceptions_are_refused_by_name() {
    let wasm = b"\0asm\x01\0\0\0\x01\x04\x01\x60\0\0\x03\x02\x01\0\
        \x0a\x08\x01\x06\0\x06\x40\x19\x0b\x0b";
    let decoded = decode(wasm, WasmFeatures::WASM3).unwrap();
    let error = compile_module(&*isa(), &tunables(), decoded).unwrap_err();
    assert!(error.to_string().contains("legacy_exceptions"), "{error}");
}
