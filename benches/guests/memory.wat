;; Bulk operations on a linear memory. n operations.
(module
  (memory (export "memory") 64 1024)

  (func (export "copy64") (param $n i32) (result i32)
    (loop $next
      (memory.copy (i32.const 65536) (i32.const 4096) (i32.const 64))
      (br_if $next (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (i32.load (i32.const 65540)))
  (func $copy (param $n i32) (param $len i32) (result i32)
    (loop $next
      (memory.copy (i32.const 1048576) (i32.const 4096) (local.get $len))
      (br_if $next (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (i32.load (i32.const 1048580)))
  (func $fill (param $n i32) (param $len i32) (result i32)
    (loop $next
      (memory.fill (i32.const 1048576) (local.get $n) (local.get $len))
      (br_if $next (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (i32.load (i32.const 1048580)))
  (func (export "copy16_var") (param i32) (result i32) (call $copy (local.get 0) (i32.const 16)))
  (func (export "copy64_var") (param i32) (result i32) (call $copy (local.get 0) (i32.const 64)))
  (func (export "copy1k") (param i32) (result i32) (call $copy (local.get 0) (i32.const 1024)))
  (func (export "copy64k") (param i32) (result i32) (call $copy (local.get 0) (i32.const 65536)))
  (func (export "fill64") (param $n i32) (result i32)
    (loop $next
      (memory.fill (i32.const 65536) (local.get $n) (i32.const 64))
      (br_if $next (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (i32.load (i32.const 65540)))
  (func (export "fill16_var") (param i32) (result i32) (call $fill (local.get 0) (i32.const 16)))
  (func (export "fill64_var") (param i32) (result i32) (call $fill (local.get 0) (i32.const 64)))
  (func (export "fill1k") (param i32) (result i32) (call $fill (local.get 0) (i32.const 1024)))
  (func (export "fill64k") (param i32) (result i32) (call $fill (local.get 0) (i32.const 65536)))
  (func (export "size") (param $n i32) (result i32) (local $sum i32)
    (loop $next
      (local.set $sum (i32.add (i32.rotl (local.get $sum) (i32.const 1)) (memory.size)))
      (br_if $next (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (local.get $sum))
  (func (export "grow0") (param $n i32) (result i32) (local $sum i32)
    (loop $next
      (local.set $sum (i32.add (local.get $sum) (memory.grow (i32.const 0))))
      (br_if $next (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (local.get $sum)))
