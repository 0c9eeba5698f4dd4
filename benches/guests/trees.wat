;; Structs that refer to one another: complete trees, linked lists, and garbage beside much that lives.
(module
  (type $tree (struct (field $left (ref null $tree)) (field $right (ref null $tree))))
  (type $list (struct (field $value i32) (field $next (mut (ref null $list)))))
  (global $kept (mut (ref null $tree)) (ref.null $tree))

  (func $make (param $depth i32) (result (ref $tree))
    (if (result (ref $tree)) (i32.eqz (local.get $depth))
      (then (struct.new $tree (ref.null $tree) (ref.null $tree)))
      (else (struct.new $tree
        (call $make (i32.sub (local.get $depth) (i32.const 1)))
        (call $make (i32.sub (local.get $depth) (i32.const 1)))))))
  (func $count (param $tree (ref null $tree)) (result i32)
    (if (result i32) (ref.is_null (local.get $tree))
      (then (i32.const 0))
      (else (i32.add (i32.const 1) (i32.add
        (call $count (struct.get $tree $left (local.get $tree)))
        (call $count (struct.get $tree $right (local.get $tree))))))))

  ;; What lives on while the other functions run: a tree of the given depth.
  (func (export "keep") (param $depth i32) (result i32)
    (global.set $kept (call $make (local.get $depth)))
    (i32.const 0))

  (func (export "depth5") (param $n i32) (result i32) (local $nodes i32)
    (loop $next
      (local.set $nodes (i32.add (local.get $nodes) (call $count (call $make (i32.const 5)))))
      (br_if $next (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (local.get $nodes))
  (func (export "depth16") (param $n i32) (result i32) (local $nodes i32)
    (loop $next
      (local.set $nodes (i32.add (local.get $nodes) (call $count (call $make (i32.const 16)))))
      (br_if $next (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (local.get $nodes))
  (func (export "walk") (param $n i32) (result i32) (local $nodes i32)
    (loop $next
      (local.set $nodes (i32.add (local.get $nodes) (call $count (global.get $kept))))
      (br_if $next (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (local.get $nodes))

  ;; Lists of 1,000 elements: built, reversed in place, summed.
  (func $list (param $len i32) (result (ref null $list)) (local $head (ref null $list))
    (loop $next
      (local.set $head (struct.new $list (local.get $len) (local.get $head)))
      (br_if $next (local.tee $len (i32.sub (local.get $len) (i32.const 1)))))
    (local.get $head))
  (func $reverse (param $list (ref null $list)) (result (ref null $list))
      (local $done (ref null $list)) (local $rest (ref null $list))
    (block $end
      (loop $next
        (br_if $end (ref.is_null (local.get $list)))
        (local.set $rest (struct.get $list $next (local.get $list)))
        (struct.set $list $next (local.get $list) (local.get $done))
        (local.set $done (local.get $list))
        (local.set $list (local.get $rest))
        (br $next)))
    (local.get $done))
  (func $sum (param $list (ref null $list)) (result i32) (local $sum i32)
    (block $end
      (loop $next
        (br_if $end (ref.is_null (local.get $list)))
        (local.set $sum (i32.add
          (i32.mul (local.get $sum) (i32.const 3)) (struct.get $list $value (local.get $list))))
        (local.set $list (struct.get $list $next (local.get $list)))
        (br $next)))
    (local.get $sum))
  (func (export "list") (param $n i32) (result i32) (local $sum i32)
    (loop $next
      (local.set $sum (i32.add (local.get $sum)
        (call $sum (call $reverse (call $list (i32.const 1000))))))
      (br_if $next (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (local.get $sum)))
