;; A plug-in: works on requests of its host until it is told that there are no more.
(module
  (import "host" "next" (func $next (result i32)))
  (import "host" "emit" (func $emit (param i32)))

  ;; Squares every request. Request 0 makes it hang, which is the host's problem.
  (func (export "run") (result i32)
    (local $request i32)
    (local $done i32)
    (loop $serve
      (local.set $request (call $next))
      (if (i32.eqz (local.get $request)) (then (loop $hang (br $hang))))
      (if (i32.gt_s (local.get $request) (i32.const 0))
        (then
          (call $emit (i32.mul (local.get $request) (local.get $request)))
          (local.set $done (i32.add (local.get $done) (i32.const 1)))
          (br $serve))))
    (local.get $done)))
