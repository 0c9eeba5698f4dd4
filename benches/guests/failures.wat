;; Faults, and errors of the host, each through one frame or through ten.
(module
  (import "host" "fail" (func $host_fail))
  (memory (export "memory") 1)
  (type $other (func (param f64)))
  (table $table funcref (elem $unreachable))

  (func $unreachable (export "unreachable") unreachable)
  (func (export "divide") (drop (i32.div_s (i32.const 1) (i32.const 0))))
  (func (export "outside") (drop (i32.load (i32.const 0x7fffffff))))
  (func (export "signature") (call_indirect $table (type $other) (f64.const 0) (i32.const 0)))
  (func (export "host") (call $host_fail))
  (func $deep (param $frames i32) (result i32)
    (if (i32.eqz (local.get $frames)) (then unreachable))
    (i32.add (i32.const 1) (call $deep (i32.sub (local.get $frames) (i32.const 1)))))
  (func (export "ten_frames") (drop (call $deep (i32.const 9)))))
