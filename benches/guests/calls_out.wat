;; Loops over calls of host functions: n turns, one call each. Results are summed.
(module
  (import "host" "nop" (func $nop))
  (import "host" "add" (func $add (param i32 i32) (result i32)))
  (import "host" "floats" (func $floats (param f32 f64) (result f64)))
  (import "host" "mix6" (func $mix6 (param i32 i64 f32 f64 i32 i64) (result i64)))
  (import "host" "sum12" (func $sum12
    (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32) (result i32)))
  (import "host" "bump" (func $bump (param i32)))
  (import "host" "cell" (func $cell (param i32) (result externref)))
  (import "host" "pass" (func $pass (param externref)))
  (import "host" "same" (func $same (param externref) (result externref)))
  (import "host" "read" (func $read (param externref) (result i32)))
  (import "host" "read2" (func $read2 (param externref externref) (result i32)))
  (import "host" "write" (func $write (param externref i32)))
  (import "host" "fresh" (func $fresh (param i32) (result externref)))
  (import "host" "text" (func $text (param i32) (result externref)))
  (import "host" "concat" (func $concat (param externref externref) (result externref)))
  (import "host" "length" (func $length (param externref) (result i32)))
  (import "host" "utf8" (func $utf8 (param i32 i32) (result i32)))

  (memory (export "memory") 1)
  (data (i32.const 16) "Grüße aus dem Speicher des Gastes")

  (func (export "nop") (param $n i32) (result i32) (local $i i32)
    (loop $next
      (call $nop)
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br_if $next (i32.lt_u (local.get $i) (local.get $n))))
    (local.get $i))

  (func (export "add") (param $n i32) (result i32) (local $sum i32)
    (loop $next
      (local.set $sum (call $add (local.get $sum) (local.get $n)))
      (br_if $next (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (local.get $sum))

  (func (export "floats") (param $n i32) (result i32) (local $sum f64)
    (loop $next
      (local.set $sum (call $floats (f32.const 0.5) (local.get $sum)))
      (br_if $next (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (i32.trunc_sat_f64_s (local.get $sum)))

  (func (export "mix6") (param $n i32) (result i32) (local $sum i64)
    (loop $next
      (local.set $sum (call $mix6 (local.get $n) (local.get $sum)
        (f32.const 1) (f64.const 2) (i32.const 3) (i64.const 4)))
      (br_if $next (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (i32.wrap_i64 (local.get $sum)))

  (func (export "sum12") (param $n i32) (result i32) (local $sum i32)
    (loop $next
      (local.set $sum (call $sum12 (local.get $n) (local.get $sum) (i32.const 3) (i32.const 4)
        (i32.const 5) (i32.const 6) (i32.const 7) (i32.const 8) (i32.const 9) (i32.const 10)
        (i32.const 11) (i32.const 12)))
      (br_if $next (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (local.get $sum))

  (func (export "state") (param $n i32) (result i32) (local $i i32)
    (loop $next
      (call $bump (i32.const 3))
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br_if $next (i32.lt_u (local.get $i) (local.get $n))))
    (local.get $i))

  (func (export "pass") (param $n i32) (result i32) (local $i i32) (local $cell externref)
    (local.set $cell (call $cell (i32.const 7)))
    (loop $next
      (call $pass (local.get $cell))
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br_if $next (i32.lt_u (local.get $i) (local.get $n))))
    (local.get $i))

  (func (export "same") (param $n i32) (result i32) (local $cell externref)
    (local.set $cell (call $cell (i32.const 7)))
    (loop $next
      (local.set $cell (call $same (local.get $cell)))
      (br_if $next (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (call $read (local.get $cell)))

  (func (export "read") (param $n i32) (result i32) (local $sum i32) (local $cell externref)
    (local.set $cell (call $cell (i32.const 7)))
    (loop $next
      (local.set $sum (i32.add (local.get $sum) (call $read (local.get $cell))))
      (br_if $next (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (local.get $sum))

  (func (export "read2") (param $n i32) (result i32) (local $sum i32)
      (local $a externref) (local $b externref)
    (local.set $a (call $cell (i32.const 7)))
    (local.set $b (call $cell (i32.const 9)))
    (loop $next
      (local.set $sum (i32.add (local.get $sum) (call $read2 (local.get $a) (local.get $b))))
      (br_if $next (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (local.get $sum))

  (func (export "write") (param $n i32) (result i32) (local $cell externref)
    (local.set $cell (call $cell (i32.const 0)))
    (loop $next
      (call $write (local.get $cell) (i32.const 3))
      (br_if $next (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (call $read (local.get $cell)))

  (func (export "fresh") (param $n i32) (result i32) (local $nulls i32) (local $turns i32)
    (local.set $turns (local.get $n))
    (loop $next
      (local.set $nulls
        (i32.add (local.get $nulls) (ref.is_null (call $fresh (local.get $n)))))
      (br_if $next (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (i32.sub (local.get $turns) (local.get $nulls)))

  (func (export "fresh_read") (param $n i32) (result i32) (local $sum i32)
    (loop $next
      (local.set $sum
        (i32.add (local.get $sum) (call $read (call $fresh (local.get $n)))))
      (br_if $next (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (local.get $sum))

  (func (export "concat") (param $n i32) (result i32)
      (local $a externref) (local $b externref) (local $both externref)
    (local.set $a (call $text (i32.const 0)))
    (local.set $b (call $text (i32.const 1)))
    (loop $next
      (local.set $both (call $concat (local.get $a) (local.get $b)))
      (br_if $next (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (call $length (local.get $both)))

  (func (export "utf8") (param $n i32) (result i32) (local $sum i32)
    (loop $next
      (local.set $sum
        (i32.add (local.get $sum) (call $utf8 (i32.const 16) (i32.const 35))))
      (br_if $next (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (local.get $sum)))
