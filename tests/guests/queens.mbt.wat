(module
 (type $0 (sub (struct (field i32))))
 (type $1 (sub final $0 (struct (field i32) (field (ref $0)) (field (ref $0)))))
 (type $2 (struct (field (mut i32))))
 (rec
  (type $3 (func (param (ref $4) (ref $0)) (result i32)))
  (type $4 (sub (struct (field (mut (ref null $3))))))
 )
 (type $5 (sub final $0 (struct (field i32) (field i32))))
 (type $6 (sub final $0 (struct (field i32) (field i32) (field (ref $0)))))
 (type $7 (sub final $0 (struct (field i32) (field (ref $0)))))
 (type $8 (sub $4 (struct (field (mut (ref null $3))) (field (mut (ref null $2))))))
 (type $9 (func (param i32) (result i32)))
 (type $10 (func (param i32) (result (ref $0))))
 (type $11 (func (param (ref $0)) (result i32)))
 (type $12 (func (param i32 i32 (ref $0) (ref $4)) (result i32)))
 (type $13 (func (param i32 i32 (ref $0)) (result i32)))
 (type $14 (func))
 (type $15 (func (result i32 (ref $0))))
 (global $global$0 (mut (ref null $0)) (ref.null none))
 (global $global$1 (mut (ref null $0)) (ref.null none))
 (global $global$2 (ref $0) (struct.new $0
  (i32.const 0)
 ))
 (memory $0 1)
 (elem declare func $4)
 (export "expression" (func $0))
 (export "queens" (func $3))
 (start $7)
 (func $0 (type $9) (param $0 i32) (result i32)
  (call $2
   (call $1
    (local.get $0)
   )
  )
 )
 (func $1 (type $10) (param $0 i32) (result (ref $0))
  (if (result (ref $0))
   (i32.eq
    (local.get $0)
    (i32.const 0)
   )
   (then
    (ref.as_non_null
     (global.get $global$0)
    )
   )
   (else
    (struct.new $1
     (i32.const 1)
     (struct.new $1
      (i32.const 2)
      (call $1
       (i32.sub
        (local.get $0)
        (i32.const 1)
       )
      )
      (ref.as_non_null
       (global.get $global$1)
      )
     )
     (struct.new $7
      (i32.const 3)
      (call $1
       (i32.sub
        (local.get $0)
        (i32.const 1)
       )
      )
     )
    )
   )
  )
 )
 (func $2 (type $11) (param $0 (ref $0)) (result i32)
  (local $1 (ref $5))
  (local $2 (ref $1))
  (local $3 (ref $0))
  (local $4 (ref $0))
  (local $5 (ref $1))
  (local $6 (ref $0))
  (local $7 (ref $0))
  (local $8 (ref $7))
  (local $9 (ref $0))
  (local $10 i32)
  (local.set $10
   (struct.get $0 0
    (local.get $0)
   )
  )
  (block $block4 (result i32)
   (block $block3
    (block $block2
     (block $block1
      (block $block
       (br_table $block $block1 $block2 $block3
        (local.get $10)
       )
      )
      (br $block4
       (struct.get $5 1
        (local.tee $1
         (ref.cast (ref $5)
          (local.get $0)
         )
        )
       )
      )
     )
     (local.set $3
      (struct.get $1 1
       (local.tee $2
        (ref.cast (ref $1)
         (local.get $0)
        )
       )
      )
     )
     (local.set $4
      (struct.get $1 2
       (local.get $2)
      )
     )
     (br $block4
      (i32.add
       (call $2
        (local.get $3)
       )
       (call $2
        (local.get $4)
       )
      )
     )
    )
    (local.set $6
     (struct.get $1 1
      (local.tee $5
       (ref.cast (ref $1)
        (local.get $0)
       )
      )
     )
    )
    (local.set $7
     (struct.get $1 2
      (local.get $5)
     )
    )
    (br $block4
     (i32.mul
      (call $2
       (local.get $6)
      )
      (call $2
       (local.get $7)
      )
     )
    )
   )
   (local.set $9
    (struct.get $7 1
     (local.tee $8
      (ref.cast (ref $7)
       (local.get $0)
      )
     )
    )
   )
   (br $block4
    (i32.sub
     (i32.const 0)
     (call $2
      (local.get $9)
     )
    )
   )
  )
 )
 (func $3 (type $9) (param $0 i32) (result i32)
  (local $1 (ref $2))
  (local.set $1
   (struct.new $2
    (i32.const 0)
   )
  )
  (drop
   (call $5
    (local.get $0)
    (i32.const 0)
    (global.get $global$2)
    (struct.new $8
     (ref.func $4)
     (local.get $1)
    )
   )
  )
  (struct.get $2 0
   (local.get $1)
  )
 )
 (func $4 (type $3) (param $0 (ref $4)) (param $1 (ref $0)) (result i32)
  (local $2 (ref $2))
  (local $3 (ref $8))
  (struct.set $2 0
   (local.tee $2
    (ref.as_non_null
     (struct.get $8 1
      (local.tee $3
       (ref.cast (ref $8)
        (local.get $0)
       )
      )
     )
    )
   )
   (i32.add
    (struct.get $2 0
     (local.get $2)
    )
    (i32.const 1)
   )
  )
  (i32.const 0)
 )
 (func $5 (type $12) (param $0 i32) (param $1 i32) (param $2 (ref $0)) (param $3 (ref $4)) (result i32)
  (local $4 i32)
  (if (result i32)
   (i32.eq
    (local.get $1)
    (local.get $0)
   )
   (then
    (call_ref $3
     (local.get $3)
     (local.get $2)
     (struct.get $4 0
      (local.get $3)
     )
    )
   )
   (else
    (local.set $4
     (i32.const 0)
    )
    (loop $label
     (if
      (i32.lt_s
       (local.get $4)
       (local.get $0)
      )
      (then
       (if
        (call $6
         (local.get $4)
         (i32.const 1)
         (local.get $2)
        )
        (then
         (drop
          (call $5
           (local.get $0)
           (i32.add
            (local.get $1)
            (i32.const 1)
           )
           (struct.new $6
            (i32.const 1)
            (local.get $4)
            (local.get $2)
           )
           (local.get $3)
          )
         )
        )
       )
       (local.set $4
        (i32.add
         (local.get $4)
         (i32.const 1)
        )
       )
       (br $label)
      )
     )
    )
    (i32.const 0)
   )
  )
 )
 (func $6 (type $13) (param $0 i32) (param $1 i32) (param $2 (ref $0)) (result i32)
  (local $3 i32)
  (local $4 (ref $0))
  (local $5 (ref $6))
  (local $6 i32)
  (local $7 (ref $0))
  (local $8 i32)
  (local $scratch (tuple i32 (ref $0)))
  (local $scratch_10 (tuple i32 (ref $0)))
  (local $scratch_11 i32)
  (local.set $scratch
   (tuple.make 2
    (local.get $1)
    (local.get $2)
   )
  )
  (loop $label0 (result i32)
   (block $label1 (result i32)
    (local.set $scratch
     (block $label (type $15) (result i32 (ref $0))
      (br $label1
       (block (result i32)
        (local.set $3
         (block (result i32)
          (local.set $scratch_11
           (tuple.extract 2 0
            (local.tee $scratch_10
             (local.get $scratch)
            )
           )
          )
          (local.set $4
           (tuple.extract 2 1
            (local.get $scratch_10)
           )
          )
          (local.get $scratch_11)
         )
        )
        (if (result i32)
         (i32.eq
          (local.tee $8
           (struct.get $0 0
            (local.get $4)
           )
          )
          (i32.const 0)
         )
         (then
          (i32.const 1)
         )
         (else
          (local.set $6
           (struct.get $6 1
            (local.tee $5
             (ref.cast (ref $6)
              (local.get $4)
             )
            )
           )
          )
          (local.set $7
           (struct.get $6 2
            (local.get $5)
           )
          )
          (if (result i32)
           (i32.eq
            (local.get $6)
            (local.get $0)
           )
           (then
            (i32.const 0)
           )
           (else
            (if (result i32)
             (i32.eq
              (local.get $6)
              (i32.add
               (local.get $0)
               (local.get $3)
              )
             )
             (then
              (i32.const 0)
             )
             (else
              (if (result i32)
               (i32.eq
                (local.get $6)
                (i32.sub
                 (local.get $0)
                 (local.get $3)
                )
               )
               (then
                (i32.const 0)
               )
               (else
                (br $label
                 (tuple.make 2
                  (i32.add
                   (local.get $3)
                   (i32.const 1)
                  )
                  (local.get $7)
                 )
                )
               )
              )
             )
            )
           )
          )
         )
        )
       )
      )
     )
    )
    (br $label0)
   )
  )
 )
 (func $7 (type $14)
  (global.set $global$0
   (struct.new $5
    (i32.const 0)
    (i32.const 3)
   )
  )
  (global.set $global$1
   (struct.new $5
    (i32.const 0)
    (i32.const 2)
   )
  )
 )
)

