;; Tests and casts over 1,024 objects of four types in no order, all subtypes of $base.
(module
  (rec
    (type $base (sub (struct (field $kind i32))))
    (type $a (sub $base (struct (field $kind i32) (field $x i32))))
    (type $b (sub $base (struct (field $kind i32) (field $y i64))))
    (type $c (sub $a (struct (field $kind i32) (field $x i32) (field $z i32))))
    (type $d (sub final $b (struct (field $kind i32) (field $y i64) (field $w i32)))))
  (type $objects (array (mut (ref null $base))))
  (global $objects (mut (ref null $objects)) (ref.null $objects))

  (func $object (param $kind i32) (result (ref $base))
    (block $d (block $c (block $b (block $a
      (br_table $a $b $c $d (local.get $kind)))
      (return (struct.new $a (i32.const 0) (i32.const 1))))
      (return (struct.new $b (i32.const 1) (i64.const 2))))
      (return (struct.new $c (i32.const 2) (i32.const 3) (i32.const 4))))
    (struct.new $d (i32.const 3) (i64.const 5) (i32.const 6)))

  (func (export "setup") (param $len i32) (result i32) (local $i i32) (local $random i32)
    (global.set $objects (array.new_default $objects (local.get $len)))
    (local.set $random (i32.const 88172645))
    (loop $next
      (local.set $random (i32.xor (local.get $random) (i32.shl (local.get $random) (i32.const 13))))
      (local.set $random (i32.xor (local.get $random) (i32.shr_u (local.get $random) (i32.const 17))))
      (local.set $random (i32.xor (local.get $random) (i32.shl (local.get $random) (i32.const 5))))
      (array.set $objects (global.get $objects) (local.get $i)
        (call $object (i32.and (i32.shr_u (local.get $random) (i32.const 9)) (i32.const 3))))
      (br_if $next (i32.lt_u
        (local.tee $i (i32.add (local.get $i) (i32.const 1))) (local.get $len))))
    (i32.const 0))

  ;; The loop alone: a field of the supertype.
  (func (export "load") (param $n i32) (result i32)
      (local $i i32) (local $sum i32) (local $all (ref $objects))
    (local.set $all (ref.as_non_null (global.get $objects)))
    (loop $pass
      (local.set $i (i32.const 0))
      (loop $next
        (local.set $sum (i32.add (local.get $sum)
          (struct.get $base $kind (array.get $objects (local.get $all) (local.get $i)))))
        (br_if $next (i32.lt_u
          (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 1024))))
      (br_if $pass (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (local.get $sum))

  ;; A chain of four, subtypes before supertypes.
  (func (export "br_on_cast") (param $n i32) (result i32)
      (local $i i32) (local $sum i32) (local $all (ref $objects))
    (local.set $all (ref.as_non_null (global.get $objects)))
    (loop $pass
      (local.set $i (i32.const 0))
      (loop $next
        (local.set $sum (i32.add (local.get $sum)
          (block $done (result i32)
            (block $is_d (result (ref $d))
              (block $is_b (result (ref $b))
                (block $is_a (result (ref $a))
                  (block $is_c (result (ref $c))
                    (array.get $objects (local.get $all) (local.get $i))
                    (br_on_cast $is_c (ref null $base) (ref $c))
                    (br_on_cast $is_a (ref null $base) (ref $a))
                    (br_on_cast $is_d (ref null $base) (ref $d))
                    (br_on_cast $is_b (ref null $base) (ref $b))
                    (drop)
                    (br $done (i32.const 0)))
                  (br $done (struct.get $c $z)))
                (br $done (struct.get $a $x)))
              (br $done (i32.wrap_i64 (struct.get $b $y))))
            (struct.get $d $w))))
        (br_if $next (i32.lt_u
          (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 1024))))
      (br_if $pass (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (local.get $sum))

  ;; Two tests, no branch.
  (func (export "ref_test") (param $n i32) (result i32)
      (local $i i32) (local $sum i32) (local $object (ref null $base)) (local $all (ref $objects))
    (local.set $all (ref.as_non_null (global.get $objects)))
    (loop $pass
      (local.set $i (i32.const 0))
      (loop $next
        (local.set $object (array.get $objects (local.get $all) (local.get $i)))
        (local.set $sum (i32.add (local.get $sum) (i32.add
          (ref.test (ref $a) (local.get $object))
          (ref.test (ref $d) (local.get $object)))))
        (br_if $next (i32.lt_u
          (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 1024))))
      (br_if $pass (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (local.get $sum))

  ;; One cast that succeeds, to one of two types by the field of the supertype.
  (func (export "ref_cast") (param $n i32) (result i32)
      (local $i i32) (local $sum i32) (local $object (ref null $base)) (local $all (ref $objects))
    (local.set $all (ref.as_non_null (global.get $objects)))
    (loop $pass
      (local.set $i (i32.const 0))
      (loop $next
        (local.set $object (array.get $objects (local.get $all) (local.get $i)))
        (local.set $sum (i32.add (local.get $sum)
          (if (result i32) (i32.and (struct.get $base $kind (local.get $object)) (i32.const 1))
            (then (i32.wrap_i64 (struct.get $b $y (ref.cast (ref $b) (local.get $object)))))
            (else (struct.get $a $x (ref.cast (ref $a) (local.get $object)))))))
        (br_if $next (i32.lt_u
          (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 1024))))
      (br_if $pass (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (local.get $sum)))
