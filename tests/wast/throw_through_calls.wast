;; Exceptions and results pass chains of calls of every kind, nested and tail calls mixed, between
;; functions with few and many parameters of two instances, with collections on the way.

(module $common
  (tag (export "t") (param i32 externref v128))
  (table (export "table") 6 funcref))
(register "common" $common)
(module $first (global (export "place") i32 (i32.const 0)))
(module $second (global (export "place") i32 (i32.const 3)))

;; Three shapes of functions, each of which calls the next: few -> many -> some -> few. What is passed
;; on is `depth`, the calls still to make; `mode`, whose digits in base 6 say how each function calls:
;; by `call`, `call_indirect`, `call_ref`, `return_call`, `return_call_indirect`, `return_call_ref`;
;; `where`, whose binary digits say which instance calls through the table go to; and an object. A
;; nested call adds 1 to the result. What is left of `mode` at the end says whether to throw.
(module definition $chains
  (import "host" "gc" (func $gc))
  (import "host" "number" (func $number (param externref) (result i32)))
  (import "common" "t" (tag $t (param i32 externref v128)))
  (import "common" "table" (table $table 6 funcref))
  (import "place" "place" (global $base i32))
  (tag $own)
  (type $few (func (param i32 i32 i32 externref)
    (result i32)))
  (type $some (func (param f64 i32 i64 i32 f32 i32 v128 externref i64 i64 externref i64)
    (result i32)))
  (type $many (func (param i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 externref i32 i32 i32 externref v128
      f32 f32 f32 f32 f32 f32 f32 f32 f32 f32)
    (result i32)))
  (elem (table $table) (offset (global.get $base)) func $few $some $many)

  ;; The function of a shape in the instance that `where` says.
  (func $at (param $shape i32) (param $where i32) (result i32)
    (i32.add (local.get $shape)
      (i32.mul (i32.const 3) (i32.and (local.get $where) (i32.const 1)))))

  (func $leaf (param $throws i32) (param $object externref) (result i32)
    (call $gc)
    (if (local.get $throws) (then
      (throw $t (call $number (local.get $object)) (local.get $object) (v128.const i32x4 1 2 3 4))))
    (call $number (local.get $object)))

  ;; The arguments of `few`.
  (func $args_few
    (param $depth i32) (param $mode i32) (param $where i32) (param $object externref)
    (result i32 i32 i32 externref)
    (local.get $depth) (local.get $mode) (local.get $where) (local.get $object))

  ;; The arguments of `some`.
  (func $args_some
    (param $depth i32) (param $mode i32) (param $where i32) (param $object externref)
    (result f64 i32 i64 i32 f32 i32 v128 externref i64 i64 externref i64)
    (f64.const 0.5) (local.get $depth) (i64.const -2) (local.get $mode) (f32.const -4)
    (local.get $where) (v128.const i64x2 77 78) (local.get $object) (i64.const -8) (i64.const -9)
    (local.get $object) (i64.const -11))

  ;; The arguments of `many`.
  (func $args_many
    (param $depth i32) (param $mode i32) (param $where i32) (param $object externref)
    (result i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 externref i32 i32 i32 externref v128
      f32 f32 f32 f32 f32 f32 f32 f32 f32 f32)
    (i64.const 10) (i64.const 11) (i64.const 12) (i64.const 13) (i64.const 14)
    (i64.const 15) (i64.const 16) (i64.const 17) (i64.const 18) (i64.const 19) (local.get $object)
    (local.get $depth) (local.get $mode) (local.get $where) (local.get $object)
    (v128.const i64x2 79 80)
    (f32.const 0) (f32.const 1) (f32.const 2) (f32.const 3) (f32.const 4)
    (f32.const 5) (f32.const 6) (f32.const 7) (f32.const 8) (f32.const 9))

  (func $few (type $few) (param $depth i32) (param $mode i32) (param $where i32) (param $object externref)
    (result i32)
    (local $kind i32)
    (if (i32.eqz (local.get $depth))
      (then (return_call $leaf (local.get $mode) (local.get $object))))
    (local.set $kind (i32.rem_u (local.get $mode) (i32.const 6)))
    (block $own_caught
      (if (i32.eq (local.get $kind) (i32.const 0)) (then
        (try_table (result i32) (catch $own $own_caught)
          (call $many
          (call $args_many (i32.sub (local.get $depth) (i32.const 1))
            (i32.div_u (local.get $mode) (i32.const 6)) (i32.shr_u (local.get $where) (i32.const 1))
            (local.get $object))))
        (return (i32.add (i32.const 1)))))
      (if (i32.eq (local.get $kind) (i32.const 1)) (then
        (try_table (result i32) (catch $own $own_caught)
          (call_indirect $table (type $many)
          (call $args_many (i32.sub (local.get $depth) (i32.const 1))
            (i32.div_u (local.get $mode) (i32.const 6)) (i32.shr_u (local.get $where) (i32.const 1))
            (local.get $object))
          (call $at (i32.const 2) (local.get $where))))
        (return (i32.add (i32.const 1)))))
      (if (i32.eq (local.get $kind) (i32.const 2)) (then
        (try_table (result i32) (catch $own $own_caught)
          (call_ref $many
          (call $args_many (i32.sub (local.get $depth) (i32.const 1))
            (i32.div_u (local.get $mode) (i32.const 6)) (i32.shr_u (local.get $where) (i32.const 1))
            (local.get $object))
          (ref.func $many)))
        (return (i32.add (i32.const 1)))))
      (if (i32.eq (local.get $kind) (i32.const 3)) (then
        (try_table (catch_all $own_caught)
          (return_call $many
          (call $args_many (i32.sub (local.get $depth) (i32.const 1))
            (i32.div_u (local.get $mode) (i32.const 6)) (i32.shr_u (local.get $where) (i32.const 1))
            (local.get $object))))))
      (if (i32.eq (local.get $kind) (i32.const 4)) (then
        (try_table (catch_all $own_caught)
          (return_call_indirect $table (type $many)
          (call $args_many (i32.sub (local.get $depth) (i32.const 1))
            (i32.div_u (local.get $mode) (i32.const 6)) (i32.shr_u (local.get $where) (i32.const 1))
            (local.get $object))
          (call $at (i32.const 2) (local.get $where))))))
      (if (i32.eq (local.get $kind) (i32.const 5)) (then
        (try_table (catch_all $own_caught)
          (return_call_ref $many
          (call $args_many (i32.sub (local.get $depth) (i32.const 1))
            (i32.div_u (local.get $mode) (i32.const 6)) (i32.shr_u (local.get $where) (i32.const 1))
            (local.get $object))
          (ref.func $many)))))
    )
    unreachable)

  (func $some (type $some) (param f64) (param $depth i32) (param i64) (param $mode i32) (param f32) (param $where i32)
    (param v128 externref i64 i64) (param $object externref) (param i64)
    (result i32)
    (local $kind i32)
    (if (i32.eqz (i32.and (f64.eq (local.get 0) (f64.const 0.5))
      (i32.and (i64.eq (local.get 2) (i64.const -2)) (i32.and (i64.eq (local.get 11) (i64.const -11))
        (i64x2.all_true (i64x2.eq (local.get 6) (v128.const i64x2 77 78)))))))
      (then unreachable))
    (if (i32.eqz (local.get $depth))
      (then (return_call $leaf (local.get $mode) (local.get $object))))
    (local.set $kind (i32.rem_u (local.get $mode) (i32.const 6)))
    (block $own_caught
      (if (i32.eq (local.get $kind) (i32.const 0)) (then
        (try_table (result i32) (catch $own $own_caught)
          (call $few
          (call $args_few (i32.sub (local.get $depth) (i32.const 1))
            (i32.div_u (local.get $mode) (i32.const 6)) (i32.shr_u (local.get $where) (i32.const 1))
            (local.get $object))))
        (return (i32.add (i32.const 1)))))
      (if (i32.eq (local.get $kind) (i32.const 1)) (then
        (try_table (result i32) (catch $own $own_caught)
          (call_indirect $table (type $few)
          (call $args_few (i32.sub (local.get $depth) (i32.const 1))
            (i32.div_u (local.get $mode) (i32.const 6)) (i32.shr_u (local.get $where) (i32.const 1))
            (local.get $object))
          (call $at (i32.const 0) (local.get $where))))
        (return (i32.add (i32.const 1)))))
      (if (i32.eq (local.get $kind) (i32.const 2)) (then
        (try_table (result i32) (catch $own $own_caught)
          (call_ref $few
          (call $args_few (i32.sub (local.get $depth) (i32.const 1))
            (i32.div_u (local.get $mode) (i32.const 6)) (i32.shr_u (local.get $where) (i32.const 1))
            (local.get $object))
          (ref.func $few)))
        (return (i32.add (i32.const 1)))))
      (if (i32.eq (local.get $kind) (i32.const 3)) (then
        (try_table (catch_all $own_caught)
          (return_call $few
          (call $args_few (i32.sub (local.get $depth) (i32.const 1))
            (i32.div_u (local.get $mode) (i32.const 6)) (i32.shr_u (local.get $where) (i32.const 1))
            (local.get $object))))))
      (if (i32.eq (local.get $kind) (i32.const 4)) (then
        (try_table (catch_all $own_caught)
          (return_call_indirect $table (type $few)
          (call $args_few (i32.sub (local.get $depth) (i32.const 1))
            (i32.div_u (local.get $mode) (i32.const 6)) (i32.shr_u (local.get $where) (i32.const 1))
            (local.get $object))
          (call $at (i32.const 0) (local.get $where))))))
      (if (i32.eq (local.get $kind) (i32.const 5)) (then
        (try_table (catch_all $own_caught)
          (return_call_ref $few
          (call $args_few (i32.sub (local.get $depth) (i32.const 1))
            (i32.div_u (local.get $mode) (i32.const 6)) (i32.shr_u (local.get $where) (i32.const 1))
            (local.get $object))
          (ref.func $few)))))
    )
    unreachable)

  (func $many (type $many) (param i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 externref) (param $depth i32) (param $mode i32)
    (param $where i32) (param $object externref) (param v128)
    (param f32 f32 f32 f32 f32 f32 f32 f32 f32 f32)
    (result i32)
    (local $kind i32)
    (if (i32.eqz (i32.and (i64.eq (local.get 0) (i64.const 10))
      (i32.and (i64.eq (local.get 9) (i64.const 19)) (i32.and (f32.eq (local.get 25) (f32.const 9))
        (i64x2.all_true (i64x2.eq (local.get 15) (v128.const i64x2 79 80)))))))
      (then unreachable))
    (if (i32.eqz (local.get $depth))
      (then (return_call $leaf (local.get $mode) (local.get $object))))
    (local.set $kind (i32.rem_u (local.get $mode) (i32.const 6)))
    (block $own_caught
      (if (i32.eq (local.get $kind) (i32.const 0)) (then
        (try_table (result i32) (catch $own $own_caught)
          (call $some
          (call $args_some (i32.sub (local.get $depth) (i32.const 1))
            (i32.div_u (local.get $mode) (i32.const 6)) (i32.shr_u (local.get $where) (i32.const 1))
            (local.get $object))))
        (return (i32.add (i32.const 1)))))
      (if (i32.eq (local.get $kind) (i32.const 1)) (then
        (try_table (result i32) (catch $own $own_caught)
          (call_indirect $table (type $some)
          (call $args_some (i32.sub (local.get $depth) (i32.const 1))
            (i32.div_u (local.get $mode) (i32.const 6)) (i32.shr_u (local.get $where) (i32.const 1))
            (local.get $object))
          (call $at (i32.const 1) (local.get $where))))
        (return (i32.add (i32.const 1)))))
      (if (i32.eq (local.get $kind) (i32.const 2)) (then
        (try_table (result i32) (catch $own $own_caught)
          (call_ref $some
          (call $args_some (i32.sub (local.get $depth) (i32.const 1))
            (i32.div_u (local.get $mode) (i32.const 6)) (i32.shr_u (local.get $where) (i32.const 1))
            (local.get $object))
          (ref.func $some)))
        (return (i32.add (i32.const 1)))))
      (if (i32.eq (local.get $kind) (i32.const 3)) (then
        (try_table (catch_all $own_caught)
          (return_call $some
          (call $args_some (i32.sub (local.get $depth) (i32.const 1))
            (i32.div_u (local.get $mode) (i32.const 6)) (i32.shr_u (local.get $where) (i32.const 1))
            (local.get $object))))))
      (if (i32.eq (local.get $kind) (i32.const 4)) (then
        (try_table (catch_all $own_caught)
          (return_call_indirect $table (type $some)
          (call $args_some (i32.sub (local.get $depth) (i32.const 1))
            (i32.div_u (local.get $mode) (i32.const 6)) (i32.shr_u (local.get $where) (i32.const 1))
            (local.get $object))
          (call $at (i32.const 1) (local.get $where))))))
      (if (i32.eq (local.get $kind) (i32.const 5)) (then
        (try_table (catch_all $own_caught)
          (return_call_ref $some
          (call $args_some (i32.sub (local.get $depth) (i32.const 1))
            (i32.div_u (local.get $mode) (i32.const 6)) (i32.shr_u (local.get $where) (i32.const 1))
            (local.get $object))
          (ref.func $some)))))
    )
    unreachable)

  ;; What a chain returns that does not throw.
  (func $expected (param $depth i32) (param $mode i32) (param $object externref) (result i32)
    (local $nested i32)
    (loop $next
      (if (local.get $depth) (then
        (local.set $nested (i32.add (local.get $nested)
          (i32.lt_u (i32.rem_u (local.get $mode) (i32.const 6)) (i32.const 3))))
        (local.set $mode (i32.div_u (local.get $mode) (i32.const 6)))
        (local.set $depth (i32.sub (local.get $depth) (i32.const 1)))
        (br $next))))
    (i32.add (local.get $nested) (call $number (local.get $object))))

  ;; Makes one chain of calls that throws or one that returns; traps if the outcome is not right.
  (func $check (param $depth i32) (param $mode i32) (param $where i32) (param $object externref)
    (param $throws i32)
    (local $a i64) (local $b f64) (local $c v128) (local $d externref) (local $number i32)
    (local $caught externref)
    (local.set $a (i64.extend_i32_u (i32.add (local.get $mode) (local.get $depth))))
    (local.set $b (f64.convert_i64_s (local.get $a)))
    (local.set $c (i64x2.splat (local.get $a)))
    (local.set $d (local.get $object))
    (block $end
      (block $handler (result i32 externref v128)
        (local.set $number (try_table (result i32) (catch $t $handler)
          (call $few (local.get $depth) (local.get $mode) (local.get $where) (local.get $object))))
        (br_if $end (i32.and (i32.eqz (local.get $throws)) (i32.eq (local.get $number)
          (call $expected (local.get $depth) (local.get $mode) (local.get $object)))))
        unreachable)
      (if (i32.eqz (i32x4.all_true (i32x4.eq (v128.const i32x4 1 2 3 4)))) (then unreachable))
      (local.set $caught)
      (local.set $number)
      (if (i32.eqz (local.get $throws)) (then unreachable))
      (if (i32.ne (local.get $number) (call $number (local.get $caught))) (then unreachable))
      (if (i32.ne (local.get $number) (call $number (local.get $d))) (then unreachable)))
    ;; What was live meanwhile is as it was.
    (if (f64.ne (local.get $b) (f64.convert_i64_s (local.get $a))) (then unreachable))
    (if (i64.ne (local.get $a) (i64x2.extract_lane 1 (local.get $c))) (then unreachable))
    (if (i32.ne (call $number (local.get $d)) (call $number (local.get $object)))
      (then unreachable)))

  ;; Checks chains of `depth` calls with `count` modes that are `step` apart, from `first` on.
  (func (export "chains") (param $depth i32) (param $first i32) (param $step i32) (param $count i32)
    (param $object externref)
    (local $mode i32) (local $all i32) (local $digits i32)
    (local.set $all (i32.const 1))
    (local.set $digits (local.get $depth))
    (loop $next
      (if (local.get $digits) (then
        (local.set $all (i32.mul (local.get $all) (i32.const 6)))
        (local.set $digits (i32.sub (local.get $digits) (i32.const 1)))
        (br $next))))
    (local.set $mode (local.get $first))
    (loop $next
      (if (local.get $count) (then
        (local.set $mode (i32.rem_u (local.get $mode) (local.get $all)))
        (call $check (local.get $depth) (local.get $mode) (local.get $count) (local.get $object)
          (i32.const 0))
        (call $check (local.get $depth) (i32.add (local.get $mode) (local.get $all))
          (local.get $mode) (local.get $object) (i32.const 1))
        (local.set $mode (i32.add (local.get $mode) (local.get $step)))
        (local.set $count (i32.sub (local.get $count) (i32.const 1)))
        (br $next)))))
)

(register "place" $first)
(module instance $a $chains)
(register "place" $second)
(module instance $b $chains)

;; All chains of up to three calls, and some longer ones.
(assert_return (invoke $a "chains" (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 1) (ref.extern 7)))
(assert_return (invoke $a "chains" (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 6) (ref.extern 8)))
(assert_return (invoke $a "chains" (i32.const 2) (i32.const 0) (i32.const 1) (i32.const 36) (ref.extern 9)))
(assert_return (invoke $b "chains" (i32.const 3) (i32.const 0) (i32.const 1) (i32.const 216) (ref.extern 10)))
(assert_return (invoke $a "chains" (i32.const 6) (i32.const 5) (i32.const 233) (i32.const 200) (ref.extern 11)))
(assert_return (invoke $b "chains" (i32.const 10) (i32.const 3) (i32.const 604661) (i32.const 100) (ref.extern 12)))
