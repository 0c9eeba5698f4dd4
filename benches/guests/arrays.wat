;; Arrays of numbers and of references. "setup" makes those that live on, of 1,024 elements each.
(module
  (type $box (struct (field $value i32)))
  (type $ints (array (mut i32)))
  (type $refs (array (mut (ref null $box))))
  (global $ints (mut (ref null $ints)) (ref.null $ints))
  (global $refs (mut (ref null $refs)) (ref.null $refs))
  (global $box (mut (ref null $box)) (ref.null $box))
  ;; Where fresh arrays go, so that they are made.
  (global $latest (mut anyref) (ref.null any))

  (func (export "setup") (param $len i32) (result i32) (local $i i32)
    (global.set $ints (array.new_default $ints (local.get $len)))
    (global.set $refs (array.new_default $refs (local.get $len)))
    (global.set $box (struct.new $box (i32.const 5)))
    (loop $next
      (array.set $refs (global.get $refs) (local.get $i) (struct.new $box (local.get $i)))
      (array.set $ints (global.get $ints) (local.get $i) (local.get $i))
      (br_if $next (i32.lt_u
        (local.tee $i (i32.add (local.get $i) (i32.const 1))) (local.get $len))))
    (i32.const 0))

  ;; Passes over all elements.
  (func (export "get_i32") (param $n i32) (result i32)
      (local $i i32) (local $len i32) (local $sum i32) (local $a (ref $ints))
    (local.set $a (ref.as_non_null (global.get $ints)))
    (local.set $len (array.len (local.get $a)))
    (loop $pass
      (local.set $i (i32.const 0))
      (loop $next
        (local.set $sum (i32.add (local.get $sum)
          (i32.xor (local.get $n) (array.get $ints (local.get $a) (local.get $i)))))
        (br_if $next (i32.lt_u
          (local.tee $i (i32.add (local.get $i) (i32.const 1))) (local.get $len))))
      (br_if $pass (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (local.get $sum))
  (func (export "set_i32") (param $n i32) (result i32)
      (local $i i32) (local $len i32) (local $a (ref $ints))
    (local.set $a (ref.as_non_null (global.get $ints)))
    (local.set $len (array.len (local.get $a)))
    (loop $pass
      (local.set $i (i32.const 0))
      (loop $next
        (array.set $ints (local.get $a) (local.get $i) (i32.add (local.get $i) (local.get $n)))
        (br_if $next (i32.lt_u
          (local.tee $i (i32.add (local.get $i) (i32.const 1))) (local.get $len))))
      (br_if $pass (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (array.get $ints (local.get $a) (i32.const 7)))
  (func (export "get_ref") (param $n i32) (result i32)
      (local $i i32) (local $len i32) (local $sum i32) (local $a (ref $refs))
    (local.set $a (ref.as_non_null (global.get $refs)))
    (local.set $len (array.len (local.get $a)))
    (loop $pass
      (local.set $i (i32.const 0))
      (loop $next
        (local.set $sum (i32.add (local.get $sum)
          (struct.get $box $value (array.get $refs (local.get $a) (local.get $i)))))
        (br_if $next (i32.lt_u
          (local.tee $i (i32.add (local.get $i) (i32.const 1))) (local.get $len))))
      (br_if $pass (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (local.get $sum))
  (func (export "set_ref") (param $n i32) (result i32)
      (local $i i32) (local $len i32) (local $a (ref $refs)) (local $box (ref null $box))
    (local.set $a (ref.as_non_null (global.get $refs)))
    (local.set $box (global.get $box))
    (local.set $len (array.len (local.get $a)))
    (loop $pass
      (local.set $i (i32.const 0))
      (loop $next
        (array.set $refs (local.get $a) (local.get $i) (local.get $box))
        (br_if $next (i32.lt_u
          (local.tee $i (i32.add (local.get $i) (i32.const 1))) (local.get $len))))
      (br_if $pass (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (struct.get $box $value (array.get $refs (local.get $a) (i32.const 7))))
  ;; Young references to an old array.
  (func (export "set_young") (param $n i32) (result i32) (local $a (ref $refs))
    (local.set $a (ref.as_non_null (global.get $refs)))
    (loop $next
      (array.set $refs (local.get $a) (i32.and (local.get $n) (i32.const 1023))
        (struct.new $box (local.get $n)))
      (br_if $next (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (struct.get $box $value (array.get $refs (local.get $a) (i32.const 1))))

  (func (export "new4") (param $n i32) (result i32) (local $sum i32)
    (loop $next
      (global.set $latest (array.new_default $ints (i32.const 4)))
      (local.set $sum (i32.add (local.get $sum) (i32.const 4)))
      (br_if $next (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (local.get $sum))
  (func (export "new256") (param $n i32) (result i32) (local $sum i32)
    (loop $next
      (global.set $latest (array.new_default $ints (i32.const 256)))
      (local.set $sum (i32.add (local.get $sum) (i32.const 256)))
      (br_if $next (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (local.get $sum))
  (func (export "new4_ref") (param $n i32) (result i32) (local $sum i32)
    (loop $next
      (global.set $latest (array.new $refs (global.get $box) (i32.const 4)))
      (local.set $sum (i32.add (local.get $sum) (i32.const 4)))
      (br_if $next (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (local.get $sum))
  (func (export "new_fixed4") (param $n i32) (result i32) (local $sum i32)
    (loop $next
      (global.set $latest (array.new_fixed $ints 4
        (local.get $n) (local.get $sum) (i32.const 3) (i32.const 4)))
      (local.set $sum (i32.add (local.get $sum) (i32.const 4)))
      (br_if $next (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (local.get $sum))

  (func (export "copy_i32") (param $n i32) (result i32) (local $a (ref $ints)) (local $b (ref $ints))
    (local.set $a (ref.as_non_null (global.get $ints)))
    (local.set $b (array.new_default $ints (array.len (local.get $a))))
    (loop $next
      (array.copy $ints $ints (local.get $b) (i32.const 0)
        (local.get $a) (i32.const 0) (array.len (local.get $a)))
      (br_if $next (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (array.get $ints (local.get $b) (i32.const 77)))
  (func (export "copy_ref") (param $n i32) (result i32) (local $a (ref $refs)) (local $b (ref $refs))
    (local.set $a (ref.as_non_null (global.get $refs)))
    (local.set $b (array.new_default $refs (array.len (local.get $a))))
    (loop $next
      (array.copy $refs $refs (local.get $b) (i32.const 0)
        (local.get $a) (i32.const 0) (array.len (local.get $a)))
      (br_if $next (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (struct.get $box $value (array.get $refs (local.get $b) (i32.const 77))))
  (func (export "fill_i32") (param $n i32) (result i32) (local $a (ref $ints))
    (local.set $a (ref.as_non_null (global.get $ints)))
    (loop $next
      (array.fill $ints (local.get $a) (i32.const 0) (local.get $n) (array.len (local.get $a)))
      (br_if $next (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (array.get $ints (local.get $a) (i32.const 77)))
  (func (export "fill_ref") (param $n i32) (result i32) (local $a (ref $refs)) (local $box (ref null $box))
    (local.set $a (ref.as_non_null (global.get $refs)))
    (local.set $box (global.get $box))
    (loop $next
      (array.fill $refs (local.get $a) (i32.const 0) (local.get $box) (array.len (local.get $a)))
      (br_if $next (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (struct.get $box $value (array.get $refs (local.get $a) (i32.const 77)))))
