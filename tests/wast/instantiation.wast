;; Instantiation that fails half-way: what it did before stays, and functions that it left in tables of
;; others can be called.

(module $shared
  (type $f (func (result i32)))
  (import "host" "gc" (func $gc))
  (table (export "table") 4 funcref)
  (table $objects (export "objects") 4 externref)
  (memory (export "memory") 1)
  (global (export "count") (mut i32) (i32.const 0))
  (func (export "call") (param i32) (result i32)
    (call $gc)
    (call_indirect (type $f) (local.get 0)))
  (func (export "tail") (param i32) (result i32)
    (return_call_indirect (type $f) (local.get 0)))
  (func (export "load") (param i32) (result i32) (i32.load8_u (local.get 0)))
  (func (export "object") (param i32) (result externref) (table.get $objects (local.get 0))))
(register "shared" $shared)

;; The second data segment fails: the elements and the first segment are there.
(assert_trap
  (module
    (import "shared" "table" (table 4 funcref))
    (import "shared" "memory" (memory 1))
    (memory $own 1)
    (global $g i32 (i32.const 41))
    (elem (i32.const 0) $f $f)
    (data (i32.const 10) "A")
    (data (i32.const 65535) "BC")
    (data (i32.const 11) "D")
    (func $f (result i32)
      (i32.add (global.get $g) (i32.add (i32.const 1) (i32.load $own (i32.const 0))))))
  "out of bounds memory access")
(assert_return (invoke "call" (i32.const 0)) (i32.const 42))
(assert_return (invoke "tail" (i32.const 1)) (i32.const 42))
(assert_return (invoke "load" (i32.const 10)) (i32.const 65))
(assert_return (invoke "load" (i32.const 65535)) (i32.const 0))
(assert_return (invoke "load" (i32.const 11)) (i32.const 0))

;; The second element segment fails.
(assert_trap
  (module
    (import "shared" "table" (table 4 funcref))
    (import "shared" "memory" (memory 1))
    (elem (i32.const 2) $f)
    (elem (i32.const 3) $f $f)
    (data (i32.const 12) "E")
    (func $f (result i32) (i32.const 43)))
  "out of bounds table access")
(assert_return (invoke "call" (i32.const 2)) (i32.const 43))
(assert_trap (invoke "call" (i32.const 3)) "uninitialized element")
(assert_return (invoke "load" (i32.const 12)) (i32.const 0))

;; A start function that traps, throws, or overflows the stack, after it left something behind.
(assert_trap
  (module
    (import "shared" "table" (table 4 funcref))
    (import "shared" "objects" (table $objects 4 externref))
    (import "shared" "count" (global $count (mut i32)))
    (import "host" "make" (func $make (param i32) (result externref)))
    (elem declare func $f)
    (global $own (mut i32) (i32.const 0))
    (func $f (result i32)
      (global.set $own (i32.add (global.get $own) (i32.const 1)))
      (global.get $own))
    (func $start
      (global.set $count (i32.const 5))
      (table.set 0 (i32.const 3) (ref.func $f))
      (table.set $objects (i32.const 0) (call $make (i32.const 77)))
      (drop (call $f))
      unreachable)
    (start $start))
  "unreachable")
(assert_return (get $shared "count") (i32.const 5))
(assert_return (invoke "call" (i32.const 3)) (i32.const 2))
(assert_return (invoke "tail" (i32.const 3)) (i32.const 3))
(assert_return (invoke "object" (i32.const 0)) (ref.extern 77))
(assert_exception
  (module
    (import "shared" "objects" (table $objects 4 externref))
    (import "host" "make" (func $make (param i32) (result externref)))
    (tag $t (param externref))
    (func $start
      (table.set $objects (i32.const 1) (call $make (i32.const 78)))
      (throw $t (table.get $objects (i32.const 1))))
    (start $start)))
(assert_return (invoke "object" (i32.const 1)) (ref.extern 78))
(assert_trap
  (module
    (func $deep (param v128 v128 v128 v128 v128 v128 v128 v128 v128 v128 v128 v128 v128 v128 v128 v128)
      (call $deep
        (local.get 0) (local.get 1) (local.get 2) (local.get 3) (local.get 4)
        (local.get 5) (local.get 6) (local.get 7) (local.get 8) (local.get 9)
        (local.get 10) (local.get 11) (local.get 12) (local.get 13) (local.get 14)
        (local.get 15)))
    (func $start
      (call $deep
        (v128.const i64x2 0 0) (v128.const i64x2 0 0) (v128.const i64x2 0 0) (v128.const i64x2 0 0)
        (v128.const i64x2 0 0) (v128.const i64x2 0 0) (v128.const i64x2 0 0) (v128.const i64x2 0 0)
        (v128.const i64x2 0 0) (v128.const i64x2 0 0) (v128.const i64x2 0 0) (v128.const i64x2 0 0)
        (v128.const i64x2 0 0) (v128.const i64x2 0 0) (v128.const i64x2 0 0) (v128.const i64x2 0 0)))
    (start $start))
  "call stack exhausted")
(assert_trap (module (import "host" "trap" (func $trap)) (start $trap)) "unreachable")

;; A start function that is imported, and one that catches what it throws.
(module
  (import "shared" "count" (global $count (mut i32)))
  (tag $t (param i32))
  (func $throw (throw $t (i32.const 9)))
  (func $start
    (block $caught (result i32)
      (try_table (catch $t $caught) (call $throw))
      unreachable)
    (global.set $count))
  (export "start" (func $start))
  (start $start))
(assert_return (get $shared "count") (i32.const 9))

;; Passive segments after they were used and dropped, active ones as if dropped.
(module
  (table $t 4 funcref)
  (memory 1)
  (elem $passive func $one $two)
  (elem $active (table $t) (i32.const 0) func $one)
  (elem $declared declare func $two)
  (data $bytes "xyz")
  (data $placed (i32.const 0) "abc")
  (func $one (result i32) (i32.const 1))
  (func $two (result i32) (i32.const 2))
  (func (export "passive") (param i32 i32 i32)
    (table.init $t $passive (local.get 0) (local.get 1) (local.get 2)))
  (func (export "active") (param i32 i32 i32)
    (table.init $t $active (local.get 0) (local.get 1) (local.get 2)))
  (func (export "declared") (param i32 i32 i32)
    (table.init $t $declared (local.get 0) (local.get 1) (local.get 2)))
  (func (export "bytes") (param i32 i32 i32)
    (memory.init $bytes (local.get 0) (local.get 1) (local.get 2)))
  (func (export "placed") (param i32 i32 i32)
    (memory.init $placed (local.get 0) (local.get 1) (local.get 2)))
  (func (export "drop") (elem.drop $passive) (elem.drop $passive) (data.drop $bytes)
    (data.drop $bytes))
  (func (export "call") (param i32) (result i32) (call_indirect (result i32) (local.get 0)))
  (func (export "load") (result i32) (i32.load (i32.const 0))))
(assert_return (invoke "passive" (i32.const 2) (i32.const 0) (i32.const 2)))
(assert_return (invoke "call" (i32.const 3)) (i32.const 2))
(assert_trap (invoke "passive" (i32.const 3) (i32.const 0) (i32.const 2)) "out of bounds table access")
(assert_trap (invoke "passive" (i32.const 0) (i32.const 1) (i32.const 2)) "out of bounds table access")
(assert_trap (invoke "passive" (i32.const 0) (i32.const -1) (i32.const 2)) "out of bounds table access")
(assert_return (invoke "call" (i32.const 0)) (i32.const 1))
(assert_trap (invoke "active" (i32.const 0) (i32.const 0) (i32.const 1)) "out of bounds table access")
(assert_return (invoke "active" (i32.const 4) (i32.const 0) (i32.const 0)))
(assert_trap (invoke "declared" (i32.const 0) (i32.const 0) (i32.const 1)) "out of bounds table access")
(assert_trap (invoke "placed" (i32.const 0) (i32.const 0) (i32.const 1)) "out of bounds memory access")
(assert_return (invoke "load") (i32.const 0x636261))
(assert_return (invoke "bytes" (i32.const 1) (i32.const 1) (i32.const 2)))
(assert_return (invoke "load") (i32.const 0x7a7961))
(assert_return (invoke "drop"))
(assert_trap (invoke "passive" (i32.const 0) (i32.const 0) (i32.const 1)) "out of bounds table access")
(assert_trap (invoke "bytes" (i32.const 0) (i32.const 0) (i32.const 1)) "out of bounds memory access")
(assert_return (invoke "passive" (i32.const 4) (i32.const 0) (i32.const 0)))

;; Imports that do not fit stop everything before anything is written.
(assert_unlinkable
  (module
    (import "shared" "memory" (memory 2))
    (import "shared" "table" (table 4 funcref))
    (elem (i32.const 0) func $f)
    (func $f (result i32) (i32.const 99)))
  "incompatible import type")
(assert_unlinkable
  (module (import "shared" "memory" (memory i64 1))) "incompatible import type")
(assert_unlinkable
  (module (import "shared" "objects" (table i64 4 externref))) "incompatible import type")
(assert_unlinkable
  (module (import "shared" "objects" (table 4 exnref))) "incompatible import type")
(assert_unlinkable
  (module (import "host" "tag" (tag (param i32)))) "incompatible import type")
(assert_unlinkable
  (module (import "host" "gc" (tag))) "incompatible import type")
(assert_return (invoke $shared "call" (i32.const 0)) (i32.const 42))
