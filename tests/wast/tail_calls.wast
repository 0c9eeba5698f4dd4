;; Tail calls: to imports, host functions and other instances, with more arguments on the stack than
;; the caller has and with fewer, with results in memory, through null, and in `try_table`.

;; Results of every type, more than there are registers, from a callee that itself is in another
;; instance.
(module $callee
  (import "host" "gc" (func $gc))
  (type $many (func (param i32 externref)
    (result i32 i64 f32 f64 v128 externref i32 i64 f32 f64 v128 externref i64 i64 i64 i64 i64 i64)))
  (func (export "many") (type $many)
    (call $gc)
    (local.get 0) (i64.const 1) (f32.const 2) (f64.const 3) (v128.const i64x2 4 5) (local.get 1)
    (i32.const 6) (i64.const 7) (f32.const 8) (f64.const 9) (v128.const i64x2 10 11) (local.get 1)
    (i64.const 12) (i64.const 13) (i64.const 14) (i64.const 15) (i64.const 16) (i64.const 17)))
(register "callee" $callee)

(module
  (type $many (func (param i32 externref)
    (result i32 i64 f32 f64 v128 externref i32 i64 f32 f64 v128 externref i64 i64 i64 i64 i64 i64)))
  (import "callee" "many" (func $many (type $many)))
  (import "host" "gc" (func $gc))
  (table funcref (elem $many $through_stack))
  (elem declare func $many)
  (func $through_stack (type $many)
    (return_call $stack
      (i64.const 0) (i64.const 1) (i64.const 2) (i64.const 3) (i64.const 4) (i64.const 5)
      (i64.const 6) (i64.const 7) (local.get 0) (local.get 1)))
  (func $stack (param i64 i64 i64 i64 i64 i64 i64 i64 i32 externref)
    (result i32 i64 f32 f64 v128 externref i32 i64 f32 f64 v128 externref i64 i64 i64 i64 i64 i64)
    (call $gc)
    (return_call_ref $many (local.get 8) (local.get 9) (ref.func $many)))
  (func (export "direct") (type $many) (return_call $many (local.get 0) (local.get 1)))
  (func (export "indirect") (param i32 externref i32)
    (result i32 i64 f32 f64 v128 externref i32 i64 f32 f64 v128 externref i64 i64 i64 i64 i64 i64)
    (return_call_indirect (type $many) (local.get 0) (local.get 1) (local.get 2)))
  ;; Results in memory while a handler waits; `try_table` around calls with such results.
  (func (export "tried") (type $many)
    (block $no
      (try_table
        (result i32 i64 f32 f64 v128 externref i32 i64 f32 f64 v128 externref i64 i64 i64 i64 i64 i64)
        (catch_all $no)
        (call $through_stack (local.get 0) (local.get 1)))
      return)
    unreachable))

(assert_return (invoke "direct" (i32.const 99) (ref.extern 5))
  (i32.const 99) (i64.const 1) (f32.const 2) (f64.const 3) (v128.const i64x2 4 5) (ref.extern 5)
  (i32.const 6) (i64.const 7) (f32.const 8) (f64.const 9) (v128.const i64x2 10 11) (ref.extern 5)
  (i64.const 12) (i64.const 13) (i64.const 14) (i64.const 15) (i64.const 16) (i64.const 17))
(assert_return (invoke "indirect" (i32.const 99) (ref.extern 5) (i32.const 0))
  (i32.const 99) (i64.const 1) (f32.const 2) (f64.const 3) (v128.const i64x2 4 5) (ref.extern 5)
  (i32.const 6) (i64.const 7) (f32.const 8) (f64.const 9) (v128.const i64x2 10 11) (ref.extern 5)
  (i64.const 12) (i64.const 13) (i64.const 14) (i64.const 15) (i64.const 16) (i64.const 17))
(assert_return (invoke "indirect" (i32.const 98) (ref.extern 6) (i32.const 1))
  (i32.const 98) (i64.const 1) (f32.const 2) (f64.const 3) (v128.const i64x2 4 5) (ref.extern 6)
  (i32.const 6) (i64.const 7) (f32.const 8) (f64.const 9) (v128.const i64x2 10 11) (ref.extern 6)
  (i64.const 12) (i64.const 13) (i64.const 14) (i64.const 15) (i64.const 16) (i64.const 17))
(assert_return (invoke "tried" (i32.const 97) (ref.null extern))
  (i32.const 97) (i64.const 1) (f32.const 2) (f64.const 3) (v128.const i64x2 4 5) (ref.null extern)
  (i32.const 6) (i64.const 7) (f32.const 8) (f64.const 9) (v128.const i64x2 10 11) (ref.null extern)
  (i64.const 12) (i64.const 13) (i64.const 14) (i64.const 15) (i64.const 16) (i64.const 17))

;; A host function with twenty parameters and twenty results, in every position.
(module
  (type $reverse (func
    (param i32 i64 f32 f64 v128 externref i32 i64 f32 f64 v128 externref
      i32 i64 v128 i32 i64 funcref i64 i32)
    (result i32 i64 funcref i64 i32 v128 i64 i32
      externref v128 f64 f32 i64 i32 externref v128 f64 f32 i64 i32)))
  (import "host" "reverse" (func $reverse (type $reverse)))
  (table funcref (elem $reverse))
  (func $args (param externref externref)
    (result i32 i64 f32 f64 v128 externref i32 i64 f32 f64 v128 externref
      i32 i64 v128 i32 i64 funcref i64 i32)
    (i32.const 0) (i64.const 1) (f32.const 2) (f64.const 3) (v128.const i64x2 4 40) (local.get 0)
    (i32.const 6) (i64.const 7) (f32.const 8) (f64.const 9) (v128.const i64x2 10 11) (local.get 1)
    (i32.const 12) (i64.const 13) (v128.const i64x2 14 140) (i32.const 15) (i64.const 16)
    (ref.func $reverse) (i64.const 18) (i32.const 19))
  (func (export "call") (param externref externref)
    (result i32 i64 funcref i64 i32 v128 i64 i32
      externref v128 f64 f32 i64 i32 externref v128 f64 f32 i64 i32)
    (call $reverse (call $args (local.get 0) (local.get 1))))
  (func (export "return_call") (param externref externref)
    (result i32 i64 funcref i64 i32 v128 i64 i32
      externref v128 f64 f32 i64 i32 externref v128 f64 f32 i64 i32)
    (return_call $reverse (call $args (local.get 0) (local.get 1))))
  (func (export "return_call_indirect") (param externref externref)
    (result i32 i64 funcref i64 i32 v128 i64 i32
      externref v128 f64 f32 i64 i32 externref v128 f64 f32 i64 i32)
    (return_call_indirect (type $reverse) (call $args (local.get 0) (local.get 1)) (i32.const 0)))
  (func (export "return_call_ref") (param externref externref)
    (result i32 i64 funcref i64 i32 v128 i64 i32
      externref v128 f64 f32 i64 i32 externref v128 f64 f32 i64 i32)
    (return_call_ref $reverse (call $args (local.get 0) (local.get 1)) (ref.func $reverse))))

(assert_return (invoke "call" (ref.extern 1) (ref.extern 2))
  (i32.const 19) (i64.const 18) (ref.func) (i64.const 16) (i32.const 15)
  (v128.const i64x2 14 140) (i64.const 13) (i32.const 12)
  (ref.extern 2) (v128.const i64x2 10 11) (f64.const 9) (f32.const 8) (i64.const 7) (i32.const 6)
  (ref.extern 1) (v128.const i64x2 4 40) (f64.const 3) (f32.const 2) (i64.const 1) (i32.const 0))
(assert_return (invoke "return_call" (ref.extern 1) (ref.extern 2))
  (i32.const 19) (i64.const 18) (ref.func) (i64.const 16) (i32.const 15)
  (v128.const i64x2 14 140) (i64.const 13) (i32.const 12)
  (ref.extern 2) (v128.const i64x2 10 11) (f64.const 9) (f32.const 8) (i64.const 7) (i32.const 6)
  (ref.extern 1) (v128.const i64x2 4 40) (f64.const 3) (f32.const 2) (i64.const 1) (i32.const 0))
(assert_return (invoke "return_call_indirect" (ref.extern 1) (ref.extern 2))
  (i32.const 19) (i64.const 18) (ref.func) (i64.const 16) (i32.const 15)
  (v128.const i64x2 14 140) (i64.const 13) (i32.const 12)
  (ref.extern 2) (v128.const i64x2 10 11) (f64.const 9) (f32.const 8) (i64.const 7) (i32.const 6)
  (ref.extern 1) (v128.const i64x2 4 40) (f64.const 3) (f32.const 2) (i64.const 1) (i32.const 0))
(assert_return (invoke "return_call_ref" (ref.extern 1) (ref.extern 2))
  (i32.const 19) (i64.const 18) (ref.func) (i64.const 16) (i32.const 15)
  (v128.const i64x2 14 140) (i64.const 13) (i32.const 12)
  (ref.extern 2) (v128.const i64x2 10 11) (f64.const 9) (f32.const 8) (i64.const 7) (i32.const 6)
  (ref.extern 1) (v128.const i64x2 4 40) (f64.const 3) (f32.const 2) (i64.const 1) (i32.const 0))

;; A loop of tail calls that grows the arguments by turns and collects at every turn; the objects
;; that are passed are in registers first, then on the stack.
(module
  (import "host" "gc" (func $gc))
  (import "host" "make" (func $make (param i32) (result externref)))
  (import "host" "number" (func $number (param externref) (result i32)))
  (func $few (param $n i32) (param $sum i64) (param $o externref) (result i64)
    (if (i32.eqz (local.get $n)) (then (return (local.get $sum))))
    (return_call $many
      (call $make (local.get $n)) (f64.const 1) (i64.const 1) (i64.const 2) (i64.const 3)
      (i64.const 4) (local.get $o) (i64.const 5) (i64.const 6) (i64.const 7)
      (call $make (i32.mul (local.get $n) (i32.const 1000)))
      (local.get $n) (local.get $sum) (local.get $o)))
  (func $many
    (param $a externref) (param f64 i64 i64 i64 i64) (param $b externref) (param i64 i64 i64)
    (param $c externref) (param $n i32) (param $sum i64) (param $d externref) (result i64)
    (call $gc)
    (if (i32.ne (call $number (local.get $a)) (local.get $n)) (then unreachable))
    (if (i32.ne (call $number (local.get $b)) (call $number (local.get $d))) (then unreachable))
    (if (i32.ne (call $number (local.get $c)) (i32.mul (local.get $n) (i32.const 1000)))
      (then unreachable))
    (return_call $few
      (i32.sub (local.get $n) (i32.const 1))
      (i64.add (local.get $sum) (i64.extend_i32_s (call $number (local.get $d))))
      (local.get $d)))
  (func (export "run") (param i32 externref) (result i64)
    (return_call $few (local.get 0) (i64.const 0) (local.get 1)))
  ;; The same, called inside the scope of a handler whose frame has objects of its own.
  (func (export "tried") (param i32 externref) (result i64)
    (local $o externref)
    (local.set $o (call $make (i32.const 555)))
    (block $no
      (try_table (result i64) (catch_all $no) (call $few (local.get 0) (i64.const 0) (local.get 1)))
      (i64.add (i64.extend_i32_s (call $number (local.get $o))))
      return)
    unreachable))
(assert_return (invoke "run" (i32.const 1000) (ref.extern 3)) (i64.const 3000))
(assert_return (invoke "tried" (i32.const 1000) (ref.extern 3)) (i64.const 3555))

;; Mutual tail calls of functions with one and with a hundred arguments on the stack.
(module
  (func $one (export "one") (param $n i32) (result i32)
    (if (i32.eqz (local.get $n)) (then (return (i32.const 42))))
    (return_call $hundred
      (i64.const 0) (i64.const 1) (i64.const 2) (i64.const 3) (i64.const 4) (i64.const 5)
      (i64.const 6) (i64.const 7) (i64.const 8) (i64.const 9) (i64.const 10) (i64.const 11)
      (i64.const 12) (i64.const 13) (i64.const 14) (i64.const 15) (i64.const 16) (i64.const 17)
      (i64.const 18) (i64.const 19) (i64.const 20) (i64.const 21) (i64.const 22) (i64.const 23)
      (v128.const i64x2 24 25) (v128.const i64x2 26 27) (v128.const i64x2 28 29)
      (v128.const i64x2 30 31) (v128.const i64x2 32 33) (v128.const i64x2 34 35)
      (v128.const i64x2 36 37) (v128.const i64x2 38 39) (v128.const i64x2 40 41)
      (v128.const i64x2 42 43) (i32.sub (local.get $n) (i32.const 1))))
  (func $hundred
    (param i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64)
    (param i64 i64 v128 v128 v128 v128 v128 v128 v128 v128 v128 v128 i32) (result i32)
    (if (i64.ne (local.get 23) (i64.const 23)) (then unreachable))
    (if (i64.ne (i64x2.extract_lane 1 (local.get 33)) (i64.const 43)) (then unreachable))
    (if (i64.ne (i64x2.extract_lane 0 (local.get 32)) (i64.const 40)) (then unreachable))
    (return_call $one (local.get 34))))
(assert_return (invoke "one" (i32.const 100000)) (i32.const 42))

;; Null and wrong functions: the trap comes, and the frames of the caller are still there to handle
;; what comes next.
(module
  (type $f (func (param i32) (result i32)))
  (type $g (func (result i32)))
  (table $t 3 funcref)
  (elem (table $t) (i32.const 1) func $g)
  (func $g (result i32) (i32.const 1))
  (func (export "null_ref") (result i32)
    (return_call_ref $f (i32.const 1) (ref.null $f)))
  (func (export "null_ref_tried") (result i32)
    (block $no
      (try_table (catch_all $no) (return_call_ref $f (i32.const 1) (ref.null $f))))
    (i32.const -1))
  (func (export "indirect") (param i32) (result i32)
    (return_call_indirect $t (type $f) (i32.const 1) (local.get 0)))
  (func (export "indirect_tried") (param i32) (result i32)
    (block $no
      (try_table (result i32) (catch_all $no)
        (call_indirect $t (type $f) (i32.const 1) (local.get 0)))
      return)
    (i32.const -1)))
(assert_trap (invoke "null_ref") "null function reference")
(assert_trap (invoke "null_ref_tried") "null function reference")
(assert_trap (invoke "indirect" (i32.const 0)) "uninitialized element")
(assert_trap (invoke "indirect" (i32.const 1)) "indirect call type mismatch")
(assert_trap (invoke "indirect" (i32.const 3)) "undefined element")
(assert_trap (invoke "indirect" (i32.const -1)) "undefined element")
(assert_trap (invoke "indirect_tried" (i32.const 0)) "uninitialized element")
(assert_trap (invoke "indirect_tried" (i32.const 1)) "indirect call type mismatch")
(assert_trap (invoke "indirect_tried" (i32.const 3)) "undefined element")

;; A tail call leaves the handlers of its function: the exception goes to the caller's.
(module
  (tag $t (param i32))
  (import "host" "call" (func $call (param funcref) (result i32)))
  (elem declare func $thrower)
  (type $none (func (result i32)))
  (func $thrower (result i32) (throw $t (i32.const 7)))
  (func $direct (result i32)
    (block $no (result i32)
      (try_table (catch $t $no) (return_call $thrower)) unreachable)
    (i32.add (i32.const 100)))
  (func $ref (result i32)
    (block $no (result i32)
      (try_table (catch $t $no) (return_call_ref $none (ref.func $thrower))) unreachable)
    (i32.add (i32.const 100)))
  (func $host (result i32)
    (block $no (result i32)
      (try_table (catch $t $no) (return_call $call (ref.func $thrower))) unreachable)
    (i32.add (i32.const 100)))
  ;; The callee is a function with a handler of its own, which it leaves.
  (func $nested (result i32)
    (block $no (result i32)
      (try_table (catch $t $no) (return_call $host)) unreachable)
    (i32.add (i32.const 100)))
  (table funcref (elem $direct $ref $host $nested))
  (func (export "run") (param i32) (result i32)
    (block $caught (result i32)
      (try_table (result i32) (catch $t $caught)
        (call_indirect (type $none) (local.get 0)))
      unreachable)))
(assert_return (invoke "run" (i32.const 0)) (i32.const 7))
(assert_return (invoke "run" (i32.const 1)) (i32.const 7))
(assert_return (invoke "run" (i32.const 2)) (i32.const 7))
(assert_return (invoke "run" (i32.const 3)) (i32.const 7))

;; Deep recursion between tail calls ends in the trap, whatever the size of the arguments.
(module
  (func $deep (export "deep") (param i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64) (result i64)
    (block $no
      (try_table (result i64) (catch_all $no)
        (i64.add (i64.const 1) (call $tail (local.get 0))))
      return)
    (i64.const -1))
  (func $tail (param i64) (result i64)
    (return_call $deep (local.get 0) (local.get 0) (local.get 0) (local.get 0) (local.get 0)
      (local.get 0) (local.get 0) (local.get 0) (local.get 0) (local.get 0) (local.get 0)
      (local.get 0)))
  (func (export "run") (result i64) (call $tail (i64.const 1))))
(assert_exhaustion (invoke "run") "call stack exhausted")
(assert_exhaustion (invoke "run") "call stack exhausted")
