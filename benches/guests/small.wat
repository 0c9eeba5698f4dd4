;; A small plug-in, of which hosts make many instances: a page of memory with some data, a table, a
;; global, a function that uses all of them.
(module
  (import "host" "add" (func $add (param i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 64) "some configuration that the plug-in reads")
  (table funcref (elem $twice $square))
  (type $unary (func (param i32) (result i32)))
  (global $calls (mut i32) (i32.const 0))
  (func $twice (type $unary) (i32.shl (local.get 0) (i32.const 1)))
  (func $square (type $unary) (i32.mul (local.get 0) (local.get 0)))
  (func (export "run") (param $n i32) (result i32)
    (global.set $calls (i32.add (global.get $calls) (i32.const 1)))
    (i32.store (i32.const 1024) (local.get $n))
    (call $add
      (call_indirect (type $unary) (local.get $n) (i32.and (local.get $n) (i32.const 1)))
      (i32.load8_u (i32.const 64)))))
