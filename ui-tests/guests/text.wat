;; A guest for `ui-tests/fail/check`.
(module
  (import "text" "len" (func (param externref) (result i32)))
  (import "text" "is-empty" (func (param externref) (result i32)))
  (import "text" "find" (func (param externref i32 i32) (result i64))))
