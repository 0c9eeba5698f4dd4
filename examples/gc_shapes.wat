;; A guest that works on drawings: arrays of shapes, some of which it made and some of which the host made.
(module
  (type $shape (sub (struct (field $x (mut f64)) (field $y (mut f64)))))
  (type $circle (sub final $shape
    (struct (field $x (mut f64)) (field $y (mut f64)) (field $radius f64))))
  (type $drawing (array (mut (ref null $shape))))

  (import "canvas" "draw" (func $draw (param (ref $shape))))
  (import "canvas" "circle" (func $circle (param f64) (result (ref $circle))))

  (func (export "shift") (param $drawing (ref $drawing)) (param $x f64) (param $y f64)
    (local $at i32) (local $shape (ref null $shape))
    (block $end (loop $next
      (br_if $end (i32.ge_u (local.get $at) (array.len (local.get $drawing))))
      (local.set $shape (array.get $drawing (local.get $drawing) (local.get $at)))
      (if (i32.eqz (ref.is_null (local.get $shape))) (then
        (struct.set $shape $x (local.get $shape)
          (f64.add (struct.get $shape $x (local.get $shape)) (local.get $x)))
        (struct.set $shape $y (local.get $shape)
          (f64.add (struct.get $shape $y (local.get $shape)) (local.get $y)))))
      (local.set $at (i32.add (local.get $at) (i32.const 1)))
      (br $next))))

  ;; Empty places are drawn as a circle that the host makes.
  (func (export "draw-all") (param $drawing (ref $drawing))
    (local $at i32) (local $shape (ref null $shape))
    (block $end (loop $next
      (br_if $end (i32.ge_u (local.get $at) (array.len (local.get $drawing))))
      (local.set $shape (array.get $drawing (local.get $drawing) (local.get $at)))
      (if (ref.is_null (local.get $shape))
        (then (local.set $shape (call $circle (f64.const 9)))))
      (call $draw (ref.as_non_null (local.get $shape)))
      (local.set $at (i32.add (local.get $at) (i32.const 1)))
      (br $next))))

  (func (export "corners") (param $drawing (ref $drawing)) (result (ref $shape) (ref $shape))
    (local $at i32) (local $shape (ref null $shape))
    (local $low (ref $shape)) (local $high (ref $shape))
    (local.set $low (struct.new $shape (f64.const inf) (f64.const inf)))
    (local.set $high (struct.new $shape (f64.const -inf) (f64.const -inf)))
    (block $end (loop $next
      (br_if $end (i32.ge_u (local.get $at) (array.len (local.get $drawing))))
      (local.set $shape (array.get $drawing (local.get $drawing) (local.get $at)))
      (if (i32.eqz (ref.is_null (local.get $shape))) (then
        (struct.set $shape $x (local.get $low) (f64.min
          (struct.get $shape $x (local.get $low)) (struct.get $shape $x (local.get $shape))))
        (struct.set $shape $y (local.get $low) (f64.min
          (struct.get $shape $y (local.get $low)) (struct.get $shape $y (local.get $shape))))
        (struct.set $shape $x (local.get $high) (f64.max
          (struct.get $shape $x (local.get $high)) (struct.get $shape $x (local.get $shape))))
        (struct.set $shape $y (local.get $high) (f64.max
          (struct.get $shape $y (local.get $high)) (struct.get $shape $y (local.get $shape))))))
      (local.set $at (i32.add (local.get $at) (i32.const 1)))
      (br $next)))
    (local.get $low)
    (local.get $high)))
