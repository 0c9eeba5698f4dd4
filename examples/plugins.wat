;; A plug-in that tidies up text: it shouts the first word of each line that it is given, collects
;; the lines in a document of the host, and has the host sort it.
(module
  (import "document" "new" (func $new (result externref)))
  (import "document" "push" (func $push (param externref i32 i32)))
  (import "document" "sort" (func $sort (param externref)))
  (import "document" "longest" (func $longest (param externref i32) (result i32)))
  (import "text" "upper" (func $upper (param i32 i32)))
  (import "text" "log" (func $log (param i32 i32)))
  (import "text" "LIMIT" (global $limit i32))

  (memory (export "memory") 1)
  (data (i32.const 0) "longest line: ")

  ;; Room for the host's text: everything from 256 on, and never given back.
  (global $free (mut i32) (i32.const 256))
  (func (export "malloc") (param $len i32) (result i32)
    (global.get $free)
    (global.set $free (i32.add (global.get $free) (local.get $len))))

  (global $document (mut externref) (ref.null extern))
  (func (export "begin") (global.set $document (call $new)))

  (func (export "line") (param $at i32) (param $len i32) (result i32)
    (if (i32.gt_u (local.get $len) (global.get $limit)) (then (return (i32.const 0))))
    (call $upper (local.get $at) (call $word (local.get $at) (local.get $len)))
    (call $push (global.get $document) (local.get $at) (local.get $len))
    (i32.const 1))

  ;; The length of the first word.
  (func $word (param $at i32) (param $len i32) (result i32)
    (local $n i32)
    (block $end (loop $next
      (br_if $end (i32.ge_u (local.get $n) (local.get $len)))
      (br_if $end (i32.eq (i32.const 32)
        (i32.load8_u (i32.add (local.get $at) (local.get $n)))))
      (local.set $n (i32.add (local.get $n) (i32.const 1)))
      (br $next)))
    (local.get $n))

  ;; The host writes the length of the longest line to 128; it has one digit.
  (func (export "finish") (result externref)
    (call $sort (global.get $document))
    (if (call $longest (global.get $document) (i32.const 128)) (then
      (i32.store8 (i32.const 14) (i32.add (i32.const 48)
        (i32.div_u (i32.load (i32.const 128)) (i32.const 10))))
      (i32.store8 (i32.const 15) (i32.add (i32.const 48)
        (i32.rem_u (i32.load (i32.const 128)) (i32.const 10))))
      (call $log (i32.const 0) (i32.const 16))))
    (global.get $document))
)
