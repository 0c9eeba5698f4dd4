;; Exceptions: thrown and caught in one function, over frames, by the host's function; and the cost of
;; being ready for one. n turns.
(module
  (import "host" "nop" (func $nop))
  (tag $tag (param i32))

  (func $throw (param i32) (throw $tag (local.get 0)))
  (func $deep (param $frames i32) (param $value i32) (result i32)
    (if (i32.eqz (local.get $frames)) (then
      (call $nop)
      (throw $tag (local.get $value))))
    (i32.add (i32.const 1)
      (call $deep (i32.sub (local.get $frames) (i32.const 1)) (local.get $value))))
  (func $returns (param i32) (result i32)
    (if (i32.lt_s (local.get 0) (i32.const 0)) (then (throw $tag (local.get 0))))
    (i32.add (local.get 0) (i32.const 1)))

  (func (export "same_function") (param $n i32) (result i32) (local $sum i32)
    (loop $next
      (local.set $sum (i32.add (local.get $sum)
        (block $caught (result i32)
          (try_table (catch $tag $caught) (throw $tag (local.get $n)))
          unreachable)))
      (br_if $next (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (local.get $sum))
  (func (export "one_frame") (param $n i32) (result i32) (local $sum i32)
    (loop $next
      (local.set $sum (i32.add (local.get $sum)
        (block $caught (result i32)
          (try_table (catch $tag $caught) (call $throw (local.get $n)))
          unreachable)))
      (br_if $next (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (local.get $sum))
  (func (export "ten_frames") (param $n i32) (result i32) (local $sum i32)
    (loop $next
      (local.set $sum (i32.add (local.get $sum)
        (block $caught (result i32)
          (try_table (catch $tag $caught) (drop (call $deep (i32.const 9) (local.get $n))))
          unreachable)))
      (br_if $next (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (local.get $sum))
  (func (export "catch_ref") (param $n i32) (result i32) (local $sum i32)
    (loop $next
      (local.set $sum (i32.add (local.get $sum)
        (block $caught (result i32 exnref)
          (try_table (catch_ref $tag $caught) (call $throw (local.get $n)))
          unreachable)
        (drop)))
      (br_if $next (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (local.get $sum))
  (func (export "no_throw") (param $n i32) (result i32) (local $sum i32)
    (loop $next
      (local.set $sum (i32.add (local.get $sum)
        (block $caught (result i32)
          (try_table (result i32) (catch $tag $caught) (call $returns (local.get $n))))))
      (br_if $next (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (local.get $sum)))
