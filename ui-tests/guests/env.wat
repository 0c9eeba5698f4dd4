;; A guest for `ui-tests/fail/check`.
(module
  (import "env" "log" (func (param i32)))
  (import "env" "bump" (func (param externref i64) (result i64)))
  (import "env" "divide" (func (param i32 i32) (result i32 i32)))
  (import "env" "memory" (memory 1))
  (import "text" "len" (func (param externref) (result i32)))
  (func (export "run") (param i32 externref) (result i64) (i64.const 0))
  (func (export "stop"))
  (table (export "table") 1 funcref)
  (memory (export "scratch") 1))
