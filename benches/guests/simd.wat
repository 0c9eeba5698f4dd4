;; Vectors: a dot product over 64 KiB, and a saturating blend of bytes.
(module
  (memory 4)

  (func (export "dot") (param $n i32) (result i32) (local $i i32) (local $sum v128)
    (loop $fill
      (i32.store (i32.shl (local.get $i) (i32.const 2)) (local.get $i))
      (br_if $fill (i32.lt_u
        (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 32768))))
    (loop $next
      (local.set $i (i32.const 0))
      (loop $lanes
        (local.set $sum (i32x4.add (local.get $sum) (i32x4.mul
          (v128.load (local.get $i)) (v128.load offset=65536 (local.get $i)))))
        (br_if $lanes (i32.lt_u
          (local.tee $i (i32.add (local.get $i) (i32.const 16))) (i32.const 65536))))
      (br_if $next (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (i32.add (i32x4.extract_lane 0 (local.get $sum)) (i32x4.extract_lane 3 (local.get $sum))))

  (func (export "blend") (param $n i32) (result i32) (local $i i32) (local $level v128)
    (loop $next
      (local.set $i (i32.const 0))
      (local.set $level (i8x16.splat (local.get $n)))
      (loop $lanes
        (v128.store (local.get $i) (i8x16.avgr_u
          (i8x16.add_sat_u (v128.load (local.get $i)) (local.get $level))
          (v128.load offset=65536 (local.get $i))))
        (br_if $lanes (i32.lt_u
          (local.tee $i (i32.add (local.get $i) (i32.const 16))) (i32.const 65536))))
      (br_if $next (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (i32.load (i32.const 4096))))
