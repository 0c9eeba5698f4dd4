(type $moonbit.enum
 (sub
  (struct
   (field  i32))))
(memory $moonbit.memory 1)
(type $_M0DTP15guest4Expr3Mul
 (sub final
  $moonbit.enum
  (struct
   (field  i32)
   (field  (ref $moonbit.enum))
   (field  (ref $moonbit.enum)))))
(type $_M0DTP15guest4List4Cons
 (sub final
  $moonbit.enum
  (struct
   (field  i32)
   (field  i32)
   (field  (ref $moonbit.enum)))))
(type $_M0DTP15guest4Expr3Num
 (sub final
  $moonbit.enum
  (struct
   (field  i32)
   (field  i32))))
(rec
 (type $_M0CTWRP15guest4ListEu
  (func
   (param (ref $_M0TWRP15guest4ListEu)) (param (ref $moonbit.enum))
   (result i32)))
 (type $_M0TWRP15guest4ListEu
  (sub
   (struct
    (field  (mut (ref null $_M0CTWRP15guest4ListEu)))))))
(type $_M0TP15guest7Counter
 (struct
  (field  (mut i32))))
(type $_M0R36_24guest_2equeens_2eanon__u90__l36__
 (sub
  $_M0TWRP15guest4ListEu
  (struct
   (field  (mut (ref null $_M0CTWRP15guest4ListEu)))
   (field  (mut (ref null $_M0TP15guest7Counter))))))
(type $_M0DTP15guest4Expr3Add
 (sub final
  $moonbit.enum
  (struct
   (field  i32)
   (field  (ref $moonbit.enum))
   (field  (ref $moonbit.enum)))))
(type $_M0DTP15guest4Expr3Neg
 (sub final
  $moonbit.enum
  (struct
   (field  i32)
   (field  (ref $moonbit.enum)))))
(elem
 declare
 func
 $_M0FP15guest6queensC90l36)
(global $_M0FP15guest4growN6constrS58
 (mut (ref null $moonbit.enum))
 (ref.null $moonbit.enum)
)
(global $_M0FP15guest4growN6constrS59
 (mut (ref null $moonbit.enum))
 (ref.null $moonbit.enum)
)
(global $moonbit.constr/0
 (ref $moonbit.enum)
 (i32.const 0)
 (struct.new $moonbit.enum)
)
(func $_M0FP15guest10expression (param $_M0L5depthS89 i32) (result i32)
 (call $_M0FP15guest4eval
  (call $_M0FP15guest4grow
   (local.get $_M0L5depthS89))))
(export "expression" (func $_M0FP15guest10expression))
(func $_M0FP15guest4grow (param $_M0L5depthS88 i32) (result (ref $moonbit.enum))
 (if (result (ref $moonbit.enum))
  (i32.eq
   (local.get $_M0L5depthS88)
   (i32.const 0))
  (then
   (ref.as_non_null
    (global.get $_M0FP15guest4growN6constrS58)))
  (else
   (struct.new $_M0DTP15guest4Expr3Add
    (i32.const 1)
    (struct.new $_M0DTP15guest4Expr3Mul
     (i32.const 2)
     (call $_M0FP15guest4grow
      (i32.sub
       (local.get $_M0L5depthS88)
       (i32.const 1)))
     (ref.as_non_null
      (global.get $_M0FP15guest4growN6constrS59)))
    (struct.new $_M0DTP15guest4Expr3Neg
     (i32.const 3)
     (call $_M0FP15guest4grow
      (i32.sub
       (local.get $_M0L5depthS88)
       (i32.const 1))))))))
(func $_M0FP15guest4eval (param $_M0L1eS78 (ref $moonbit.enum)) (result i32)
 (local $_M0L6_2aNumS79 (ref $_M0DTP15guest4Expr3Num))
 (local $_M0L6_2aAddS80 (ref $_M0DTP15guest4Expr3Add))
 (local $_M0L4_2aaS81 (ref $moonbit.enum))
 (local $_M0L4_2abS82 (ref $moonbit.enum))
 (local $_M0L6_2aMulS83 (ref $_M0DTP15guest4Expr3Mul))
 (local $_M0L4_2aaS84 (ref $moonbit.enum))
 (local $_M0L4_2abS85 (ref $moonbit.enum))
 (local $_M0L6_2aNegS86 (ref $_M0DTP15guest4Expr3Neg))
 (local $_M0L4_2aaS87 (ref $moonbit.enum))
 (local $_M0L3tagS93 i32)
 (local.set $_M0L3tagS93
  (struct.get $moonbit.enum 0
   (local.get $_M0L1eS78)))
 (block $switch_int/94 (result i32)
  (block $switch_default/95
   (block $switch_int_2/98
    (block $switch_int_1/97
     (block $switch_int_0/96
      (local.get $_M0L3tagS93)
      (br_table
       $switch_int_0/96
       $switch_int_1/97
       $switch_int_2/98
       $switch_default/95
       ))
     (struct.get $_M0DTP15guest4Expr3Num 1
      (local.tee $_M0L6_2aNumS79
       (ref.cast (ref $_M0DTP15guest4Expr3Num)
        (local.get $_M0L1eS78))))
     (br $switch_int/94))
    (local.set $_M0L4_2aaS81
     (struct.get $_M0DTP15guest4Expr3Add 1
      (local.tee $_M0L6_2aAddS80
       (ref.cast (ref $_M0DTP15guest4Expr3Add)
        (local.get $_M0L1eS78)))))
    (local.set $_M0L4_2abS82
     (struct.get $_M0DTP15guest4Expr3Add 2
      (local.get $_M0L6_2aAddS80)))
    (i32.add
     (call $_M0FP15guest4eval
      (local.get $_M0L4_2aaS81))
     (call $_M0FP15guest4eval
      (local.get $_M0L4_2abS82)))
    (br $switch_int/94))
   (local.set $_M0L4_2aaS84
    (struct.get $_M0DTP15guest4Expr3Mul 1
     (local.tee $_M0L6_2aMulS83
      (ref.cast (ref $_M0DTP15guest4Expr3Mul)
       (local.get $_M0L1eS78)))))
   (local.set $_M0L4_2abS85
    (struct.get $_M0DTP15guest4Expr3Mul 2
     (local.get $_M0L6_2aMulS83)))
   (i32.mul
    (call $_M0FP15guest4eval
     (local.get $_M0L4_2aaS84))
    (call $_M0FP15guest4eval
     (local.get $_M0L4_2abS85)))
   (br $switch_int/94))
  (local.set $_M0L4_2aaS87
   (struct.get $_M0DTP15guest4Expr3Neg 1
    (local.tee $_M0L6_2aNegS86
     (ref.cast (ref $_M0DTP15guest4Expr3Neg)
      (local.get $_M0L1eS78)))))
  (i32.sub
   (i32.const 0)
   (call $_M0FP15guest4eval
    (local.get $_M0L4_2aaS87)))
  (br $switch_int/94)))
(func $_M0FP15guest6queens (param $_M0L4sizeS76 i32) (result i32)
 (local $_M0L7counterS75 (ref $_M0TP15guest7Counter))
 (local.set $_M0L7counterS75
  (struct.new $_M0TP15guest7Counter
   (i32.const 0)))
 (drop
  (call $_M0FP15guest5place
   (local.get $_M0L4sizeS76)
   (i32.const 0)
   (global.get $moonbit.constr/0)
   (struct.new $_M0R36_24guest_2equeens_2eanon__u90__l36__
    (ref.func $_M0FP15guest6queensC90l36)
    (local.get $_M0L7counterS75))))
 (struct.get $_M0TP15guest7Counter 0
  (local.get $_M0L7counterS75)))
(export "queens" (func $_M0FP15guest6queens))
(func $_M0FP15guest6queensC90l36 (type $_M0CTWRP15guest4ListEu) (param $_M0L6_2aenvS91 (ref $_M0TWRP15guest4ListEu)) (param $_M0L7__boardS77 (ref $moonbit.enum)) (result i32)
 (local $_M0L7counterS75 (ref $_M0TP15guest7Counter))
 (local $_M0L14_2acasted__envS92 (ref $_M0R36_24guest_2equeens_2eanon__u90__l36__))
 (struct.set $_M0TP15guest7Counter 0
  (local.tee $_M0L7counterS75
   (ref.as_non_null
    (struct.get $_M0R36_24guest_2equeens_2eanon__u90__l36__ 1
     (local.tee $_M0L14_2acasted__envS92
      (ref.cast (ref $_M0R36_24guest_2equeens_2eanon__u90__l36__)
       (local.get $_M0L6_2aenvS91))))))
  (i32.add
   (struct.get $_M0TP15guest7Counter 0
    (local.get $_M0L7counterS75))
   (i32.const 1)))
 (i32.const 0))
(func $_M0FP15guest5place (param $_M0L4sizeS70 i32) (param $_M0L3rowS69 i32) (param $_M0L5boardS72 (ref $moonbit.enum)) (param $_M0L5foundS71 (ref $_M0TWRP15guest4ListEu)) (result i32)
 (local $_M0Lm6columnS73 i32)
 (if (result i32)
  (i32.eq
   (local.get $_M0L3rowS69)
   (local.get $_M0L4sizeS70))
  (then
   (call_ref $_M0CTWRP15guest4ListEu
    (local.get $_M0L5foundS71)
    (local.get $_M0L5boardS72)
    (struct.get $_M0TWRP15guest4ListEu 0
     (local.get $_M0L5foundS71))))
  (else
   (local.set $_M0Lm6columnS73
    (i32.const 0))
   (loop $loop:74
    (if
     (i32.lt_s
      (local.get $_M0Lm6columnS73)
      (local.get $_M0L4sizeS70))
     (then
      (if
       (call $_M0FP15guest4safe
        (local.get $_M0Lm6columnS73)
        (i32.const 1)
        (local.get $_M0L5boardS72))
       (then
        (drop
         (call $_M0FP15guest5place
          (local.get $_M0L4sizeS70)
          (i32.add
           (local.get $_M0L3rowS69)
           (i32.const 1))
          (struct.new $_M0DTP15guest4List4Cons
           (i32.const 1)
           (local.get $_M0Lm6columnS73)
           (local.get $_M0L5boardS72))
          (local.get $_M0L5foundS71))))
       (else))
      (local.set $_M0Lm6columnS73
       (i32.add
        (local.get $_M0Lm6columnS73)
        (i32.const 1)))
      (br $loop:74))
     (else)))
   (i32.const 0))))
(func $_M0FP15guest4safe (param $_M0L5queenS65 i32) (param $_M0L8distanceS67 i32) (param $_M0L5boardS68 (ref $moonbit.enum)) (result i32)
 (local $_M0L8distanceS60 i32)
 (local $_M0L5boardS61 (ref $moonbit.enum))
 (local $_M0L7_2aConsS62 (ref $_M0DTP15guest4List4Cons))
 (local $_M0L8_2aotherS63 i32)
 (local $_M0L7_2arestS64 (ref $moonbit.enum))
 (local $_M0L3tagS99 i32)
 (local.get $_M0L8distanceS67)
 (local.get $_M0L5boardS68)
 (loop $loop:66 (param i32) (param (ref $moonbit.enum)) (result i32)
  (local.set $_M0L5boardS61)
  (local.set $_M0L8distanceS60)
  (if (result i32)
   (i32.eq
    (local.tee $_M0L3tagS99
     (struct.get $moonbit.enum 0
      (local.get $_M0L5boardS61)))
    (i32.const 0))
   (then
    (i32.const 1))
   (else
    (local.set $_M0L8_2aotherS63
     (struct.get $_M0DTP15guest4List4Cons 1
      (local.tee $_M0L7_2aConsS62
       (ref.cast (ref $_M0DTP15guest4List4Cons)
        (local.get $_M0L5boardS61)))))
    (local.set $_M0L7_2arestS64
     (struct.get $_M0DTP15guest4List4Cons 2
      (local.get $_M0L7_2aConsS62)))
    (if (result i32)
     (i32.eq
      (local.get $_M0L8_2aotherS63)
      (local.get $_M0L5queenS65))
     (then
      (i32.const 0))
     (else
      (if (result i32)
       (i32.eq
        (local.get $_M0L8_2aotherS63)
        (i32.add
         (local.get $_M0L5queenS65)
         (local.get $_M0L8distanceS60)))
       (then
        (i32.const 0))
       (else
        (if (result i32)
         (i32.eq
          (local.get $_M0L8_2aotherS63)
          (i32.sub
           (local.get $_M0L5queenS65)
           (local.get $_M0L8distanceS60)))
         (then
          (i32.const 0))
         (else
          (i32.add
           (local.get $_M0L8distanceS60)
           (i32.const 1))
          (local.get $_M0L7_2arestS64)
          (br $loop:66)))))))))))
(start $_M0FP017____moonbit__init)
(func $_M0FP017____moonbit__init
 (global.set $_M0FP15guest4growN6constrS58
  (struct.new $_M0DTP15guest4Expr3Num
   (i32.const 0)
   (i32.const 3)))
 (global.set $_M0FP15guest4growN6constrS59
  (struct.new $_M0DTP15guest4Expr3Num
   (i32.const 0)
   (i32.const 2))))