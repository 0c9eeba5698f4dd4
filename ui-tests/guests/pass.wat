;; A guest for `ui-tests/pass/check.rs`.
(module
  (import "env" "log" (func (param i32)))
  (import "env" "bump" (func (param externref i64) (result i64)))
  (import "env" "divide" (func (param i32 i32) (result i32 i32)))
  (import "env" "print" (func (param i32 i32 externref)))
  (import "env" "LIMIT" (global f64))
  (func (export "run") (param i32 externref) (result i64) (i64.const 0))
  (func (export "to-start"))
  (func (export "malloc") (param i32) (result i32) (i32.const 0))
  (func (export "say") (param i32 i32 i32) (result i32) (i32.const 1))
  (table (export "table") 1 funcref)
  (global (export "ticks") (mut i32) (i32.const 0))
  (memory (export "memory") 1))
