(module
 (type $0 (func (param i32) (result externref)))
 (type $1 (func (param externref externref) (result externref)))
 (type $2 (func (param externref i32)))
 (type $3 (func (param externref) (result i32)))
 (import "journal" "open" (func $fimport$0 (type $0) (param i32) (result externref)))
 (import "journal" "write" (func $fimport$1 (type $2) (param externref i32)))
 (import "journal" "merge" (func $fimport$2 (type $1) (param externref externref) (result externref)))
 (import "journal" "len" (func $fimport$3 (type $3) (param externref) (result i32)))
 (global $global$0 (mut i32) (i32.const 1048576))
 (memory $0 16)
 (table $0 0 externref)
 (table $1 1 1 funcref)
 (export "memory" (memory $0))
 (export "even_and_odd" (func $0))
 (export "longer" (func $1))
 (func $0 (type $0) (param $0 i32) (result externref)
  (local $1 externref)
  (local $2 externref)
  (local $3 i32)
  (local.set $1
   (call $fimport$0
    (local.get $0)
   )
  )
  (local.set $2
   (call $fimport$0
    (local.get $0)
   )
  )
  (block $block
   (br_if $block
    (table.size $0)
   )
   (drop
    (table.grow $0
     (ref.null noextern)
     (i32.const 2)
    )
   )
  )
  (table.set $0
   (i32.const 0)
   (local.get $1)
  )
  (table.set $0
   (i32.const 1)
   (local.get $2)
  )
  (block $block1
   (br_if $block1
    (i32.lt_s
     (local.get $0)
     (i32.const 1)
    )
   )
   (local.set $3
    (i32.const 0)
   )
   (loop $label
    (call $fimport$1
     (table.get $0
      (i32.and
       (local.get $3)
       (i32.const 1)
      )
     )
     (local.get $3)
    )
    (br_if $label
     (i32.ne
      (local.get $0)
      (local.tee $3
       (i32.add
        (local.get $3)
        (i32.const 1)
       )
      )
     )
    )
   )
  )
  (local.set $1
   (table.get $0
    (i32.const 1)
   )
  )
  (call $fimport$2
   (table.get $0
    (i32.const 0)
   )
   (local.get $1)
  )
 )
 (func $1 (type $1) (param $0 externref) (param $1 externref) (result externref)
  (block $block
   (br_if $block
    (table.size $0)
   )
   (drop
    (table.grow $0
     (ref.null noextern)
     (i32.const 2)
    )
   )
  )
  (table.set $0
   (i32.const 0)
   (local.get $0)
  )
  (table.set $0
   (i32.const 1)
   (local.get $1)
  )
  (table.get $0
   (i32.lt_s
    (call $fimport$3
     (local.get $0)
    )
    (call $fimport$3
     (local.get $1)
    )
   )
  )
 )
)

