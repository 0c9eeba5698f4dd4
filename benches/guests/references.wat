;; References to host objects where a guest keeps them: tables, globals, locals. n turns.
(module
  (import "host" "cell" (func $cell (param i32) (result externref)))
  (import "host" "read" (func $read (param externref) (result i32)))
  (table $table 64 externref)
  (global $global (mut externref) (ref.null extern))

  (func (export "setup") (param $n i32) (result i32) (local $i i32)
    (loop $next
      (table.set $table (local.get $i) (call $cell (local.get $i)))
      (br_if $next (i32.lt_u
        (local.tee $i (i32.add (local.get $i) (i32.const 1))) (table.size $table))))
    (global.set $global (table.get $table (i32.const 1)))
    (i32.const 0))

  (func (export "table_get") (param $n i32) (result i32) (local $nulls i32)
    (loop $next
      (local.set $nulls (i32.add (local.get $nulls)
        (ref.is_null (table.get $table (i32.and (local.get $n) (i32.const 63))))))
      (br_if $next (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (local.get $nulls))

  (func (export "table_set") (param $n i32) (result i32) (local $held externref)
    (local.set $held (table.get $table (i32.const 5)))
    (loop $next
      (table.set $table (i32.and (local.get $n) (i32.const 31)) (local.get $held))
      (br_if $next (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (call $read (table.get $table (i32.const 1))))

  (func (export "table_move") (param $n i32) (result i32)
    (loop $next
      (table.set $table
        (i32.and (local.get $n) (i32.const 15))
        (table.get $table (i32.const 40)))
      (br_if $next (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (call $read (table.get $table (i32.const 1))))

  (func (export "table_fill") (param $n i32) (result i32)
    (loop $next
      (table.fill $table (i32.const 0) (table.get $table (i32.const 40)) (i32.const 32))
      (br_if $next (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (call $read (table.get $table (i32.const 1))))

  (func (export "table_copy") (param $n i32) (result i32)
    (loop $next
      (table.copy $table $table (i32.const 0) (i32.const 32) (i32.const 32))
      (br_if $next (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (call $read (table.get $table (i32.const 1))))

  (func (export "global_get") (param $n i32) (result i32) (local $nulls i32)
    (loop $next
      (local.set $nulls (i32.add (local.get $nulls) (ref.is_null (global.get $global))))
      (br_if $next (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (local.get $nulls))

  (func (export "global_set") (param $n i32) (result i32)
      (local $a externref) (local $b externref) (local $swap externref)
    (local.set $a (table.get $table (i32.const 50)))
    (local.set $b (table.get $table (i32.const 51)))
    (loop $next
      (global.set $global (local.get $a))
      (local.set $swap (local.get $a))
      (local.set $a (local.get $b))
      (local.set $b (local.get $swap))
      (br_if $next (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (ref.is_null (global.get $global)))

  ;; Held over calls: a collector that moves objects reloads it.
  (func $leaf (param $depth i32) (param $held externref) (result externref)
    (if (local.get $depth) (then
      (drop (call $leaf (i32.sub (local.get $depth) (i32.const 1)) (local.get $held)))))
    (local.get $held))
  (func (export "locals") (param $n i32) (result i32)
      (local $a externref) (local $b externref) (local $c externref)
    (local.set $a (table.get $table (i32.const 50)))
    (local.set $b (table.get $table (i32.const 51)))
    (local.set $c (table.get $table (i32.const 52)))
    (loop $next
      (drop (call $leaf (i32.const 4) (local.get $a)))
      (drop (call $leaf (i32.const 4) (local.get $b)))
      (br_if $next (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (i32.add (call $read (local.get $a))
      (i32.add (call $read (local.get $b)) (call $read (local.get $c))))))
