(module
  (import "text" "len" (func (param externref) (result i32)))
  (import "text" "find" (func (param (ref extern) i32) (result i32 i64)))
  (memory (export "memory") 1)
  (func (export "run") (param i64)))
