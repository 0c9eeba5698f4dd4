;; A guest of `tests/check.rs` with 64-bit addresses.
(module
  (import "wide" "print" (func $print (param i64 i64) (result i32)))
  (memory (export "memory") i64 1)
  (func (export "run") (result i32) (call $print (i64.const 8) (i64.const 2))))
