;; Numbers as references, as dynamic languages keep them: boxed floats, and integers in i31.
(module
  (type $float (struct (field $value f64)))

  (func $fib (param $n (ref $float)) (result (ref $float))
    (if (f64.lt (struct.get $float $value (local.get $n)) (f64.const 2))
      (then (return (local.get $n))))
    (struct.new $float (f64.add
      (struct.get $float $value (call $fib (struct.new $float
        (f64.sub (struct.get $float $value (local.get $n)) (f64.const 1)))))
      (struct.get $float $value (call $fib (struct.new $float
        (f64.sub (struct.get $float $value (local.get $n)) (f64.const 2))))))))
  ;; fib(15) is 1,973 calls.
  (func (export "floats") (param $n i32) (result i32) (local $sum f64)
    (loop $next
      (local.set $sum (f64.add (local.get $sum)
        (struct.get $float $value (call $fib (struct.new $float (f64.const 15))))))
      (br_if $next (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (i32.trunc_sat_f64_s (local.get $sum)))

  (func $int (param $value anyref) (result i32)
    (i31.get_s (ref.cast (ref i31) (local.get $value))))
  ;; Gauss's sum and a xor, each intermediate value an anyref that is cast back.
  (func (export "i31") (param $n i32) (result i32) (local $sum anyref) (local $count anyref)
    (local.set $sum (ref.i31 (i32.const 0)))
    (local.set $count (ref.i31 (local.get $n)))
    (loop $next
      (local.set $sum (ref.i31 (i32.xor
        (i32.add (call $int (local.get $sum)) (call $int (local.get $count)))
        (i32.const 0x5a5a))))
      (local.set $count (ref.i31 (i32.sub (call $int (local.get $count)) (i32.const 1))))
      (br_if $next (call $int (local.get $count))))
    (call $int (local.get $sum))))
