;; Counts with objects of the host that it cannot look into.
(module
  (import "counters" "create" (func $create (param i64) (result externref)))
  (import "counters" "add" (func $add (param externref i64) (result i64)))
  (import "counters" "merge" (func $merge (param externref externref)))

  (global $mine (mut externref) (ref.null extern))

  ;; Makes a counter and keeps it.
  (func (export "start") (param $at i64)
    (global.set $mine (call $create (local.get $at))))

  ;; Adds 1, $n times, and returns the sum.
  (func (export "count") (param $n i32) (result i64)
    (local $sum i64)
    (block $done
      (loop $next
        (br_if $done (i32.eqz (local.get $n)))
        (local.set $sum (call $add (global.get $mine) (i64.const 1)))
        (local.set $n (i32.sub (local.get $n) (i32.const 1)))
        (br $next)))
    (local.get $sum))

  (func (export "merge") (param $into externref) (param $from externref)
    (call $merge (local.get $into) (local.get $from)))

  (func (export "mine") (result externref) (global.get $mine)))
