;; Plain computing: recursion, linear memory, floats, branches. No proposal beyond bulk memory.
(module
  (memory (export "memory") 64)
  (data (i32.const 4000000) "\01\05\03\06\02\04\00")

  (func $fib (param $n i32) (result i32)
    (if (result i32) (i32.lt_s (local.get $n) (i32.const 2))
      (then (local.get $n))
      (else (i32.add
        (call $fib (i32.sub (local.get $n) (i32.const 1)))
        (call $fib (i32.sub (local.get $n) (i32.const 2)))))))
  ;; fib(20) is 21,891 calls.
  (func (export "fib") (param $n i32) (result i32) (local $sum i32)
    (loop $next
      (local.set $sum (i32.add (local.get $sum) (call $fib (i32.const 20))))
      (br_if $next (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (local.get $sum))

  ;; C = A * B of 128 x 128 floats, A at 0, B at 128 KiB, C at 256 KiB.
  (func (export "matmul") (param $n i32) (result i32)
      (local $i i32) (local $j i32) (local $k i32) (local $sum f64)
    (loop $fill
      (f64.store (i32.shl (local.get $i) (i32.const 3))
        (f64.convert_i32_u (i32.and (local.get $i) (i32.const 15))))
      (f64.store offset=131072 (i32.shl (local.get $i) (i32.const 3))
        (f64.convert_i32_u (i32.and (local.get $i) (i32.const 7))))
      (br_if $fill (i32.lt_u
        (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 16384))))
    (loop $next
      (local.set $i (i32.const 0))
      (loop $row
        (local.set $j (i32.const 0))
        (loop $column
          (local.set $k (i32.const 0))
          (local.set $sum (f64.const 0))
          (loop $cell
            (local.set $sum (f64.add (local.get $sum) (f64.mul
              (f64.load (i32.shl
                (i32.add (i32.shl (local.get $i) (i32.const 7)) (local.get $k)) (i32.const 3)))
              (f64.load offset=131072 (i32.shl
                (i32.add (i32.shl (local.get $k) (i32.const 7)) (local.get $j)) (i32.const 3))))))
            (br_if $cell (i32.lt_u
              (local.tee $k (i32.add (local.get $k) (i32.const 1))) (i32.const 128))))
          (f64.store offset=262144
            (i32.shl (i32.add (i32.shl (local.get $i) (i32.const 7)) (local.get $j)) (i32.const 3))
            (local.get $sum))
          (br_if $column (i32.lt_u
            (local.tee $j (i32.add (local.get $j) (i32.const 1))) (i32.const 128))))
        (br_if $row (i32.lt_u
          (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 128))))
      (br_if $next (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (i32.trunc_sat_f64_s (f64.load offset=262144 (i32.const 1024))))

  ;; Primes below 100,000.
  (func (export "sieve") (param $n i32) (result i32) (local $i i32) (local $j i32) (local $count i32)
    (loop $next
      (memory.fill (i32.const 0) (i32.const 1) (i32.const 100000))
      (local.set $i (i32.const 2))
      (loop $factor
        (if (i32.load8_u (local.get $i)) (then
          (local.set $j (i32.mul (local.get $i) (local.get $i)))
          (loop $multiple
            (i32.store8 (local.get $j) (i32.const 0))
            (br_if $multiple (i32.lt_u
              (local.tee $j (i32.add (local.get $j) (local.get $i))) (i32.const 100000))))))
        (br_if $factor (i32.lt_u
          (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 317))))
      (local.set $count (i32.const 0))
      (local.set $i (i32.const 2))
      (loop $each
        (local.set $count (i32.add (local.get $count) (i32.load8_u (local.get $i))))
        (br_if $each (i32.lt_u
          (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 100000))))
      (br_if $next (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (local.get $count))

  ;; FNV-1a over 64 KiB.
  (func (export "fnv") (param $n i32) (result i32) (local $i i32) (local $hash i32)
    (local.set $hash (i32.const 0x811c9dc5))
    (loop $next
      (local.set $i (i32.const 0))
      (loop $byte
        (local.set $hash (i32.mul
          (i32.xor (local.get $hash) (i32.load8_u offset=1048576 (local.get $i)))
          (i32.const 0x01000193)))
        (br_if $byte (i32.lt_u
          (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 65536))))
      (br_if $next (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (local.get $hash))

  ;; SipHash rounds over 64 KiB, two for each word of 8 bytes.
  (func (export "siphash") (param $n i32) (result i32)
      (local $i i32) (local $a i64) (local $b i64) (local $c i64) (local $d i64)
      (local $word i64) (local $round i32)
    (local.set $a (i64.const 0x736f6d6570736575))
    (local.set $b (i64.const 0x646f72616e646f6d))
    (local.set $c (i64.const 0x6c7967656e657261))
    (local.set $d (i64.const 0x7465646279746573))
    (loop $next
      (local.set $i (i32.const 0))
      (loop $block
        (local.set $word (i64.load offset=1048576 (local.get $i)))
        (local.set $d (i64.xor (local.get $d) (local.get $word)))
        (local.set $round (i32.const 2))
        (loop $rounds
          (local.set $a (i64.add (local.get $a) (local.get $b)))
          (local.set $b (i64.xor (i64.rotl (local.get $b) (i64.const 13)) (local.get $a)))
          (local.set $a (i64.rotl (local.get $a) (i64.const 32)))
          (local.set $c (i64.add (local.get $c) (local.get $d)))
          (local.set $d (i64.xor (i64.rotl (local.get $d) (i64.const 16)) (local.get $c)))
          (local.set $a (i64.add (local.get $a) (local.get $d)))
          (local.set $d (i64.xor (i64.rotl (local.get $d) (i64.const 21)) (local.get $a)))
          (local.set $c (i64.add (local.get $c) (local.get $b)))
          (local.set $b (i64.xor (i64.rotl (local.get $b) (i64.const 17)) (local.get $c)))
          (local.set $c (i64.rotl (local.get $c) (i64.const 32)))
          (br_if $rounds (local.tee $round (i32.sub (local.get $round) (i32.const 1)))))
        (local.set $a (i64.xor (local.get $a) (local.get $word)))
        (br_if $block (i32.lt_u
          (local.tee $i (i32.add (local.get $i) (i32.const 8))) (i32.const 65536))))
      (br_if $next (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (i32.wrap_i64 (i64.xor (i64.xor (local.get $a) (local.get $b)) (i64.xor (local.get $c) (local.get $d)))))

  ;; Interprets 0 halt, 1 acc += n, 2 n -= 1, 3 acc ^= constant, 4 start again unless n is 0,
  ;; 5 rotate acc, 6 nothing. A turn is one pass over the program: six bytecodes.
  (func (export "interpreter") (param $n i32) (result i32) (local $pc i32) (local $acc i32)
    (local.set $pc (i32.const 4000000))
    (loop $next
      (block $nothing (block $rotate (block $jump (block $xor (block $less (block $add (block $halt
        (br_table $halt $add $less $xor $jump $rotate $nothing (i32.load8_u (local.get $pc))))
        (return (local.get $acc)))
        (local.set $acc (i32.add (local.get $acc) (local.get $n)))
        (local.set $pc (i32.add (local.get $pc) (i32.const 1)))
        (br $next))
        (local.set $n (i32.sub (local.get $n) (i32.const 1)))
        (local.set $pc (i32.add (local.get $pc) (i32.const 1)))
        (br $next))
        (local.set $acc (i32.xor (local.get $acc) (i32.const 0x5a5a)))
        (local.set $pc (i32.add (local.get $pc) (i32.const 1)))
        (br $next))
        (local.set $pc (select
          (i32.const 4000000) (i32.add (local.get $pc) (i32.const 1)) (local.get $n)))
        (br $next))
        (local.set $acc (i32.rotl (local.get $acc) (i32.const 3)))
        (local.set $pc (i32.add (local.get $pc) (i32.const 1)))
        (br $next))
      (local.set $pc (i32.add (local.get $pc) (i32.const 1)))
      (br $next))
    unreachable)

  ;; Follows 4,096 links through memory: nothing but the latency of a load.
  (func (export "chase") (param $n i32) (result i32) (local $i i32)
    (loop $fill
      (i32.store offset=2097152 (i32.shl (local.get $i) (i32.const 2))
        (i32.shl (i32.and
          (i32.add (i32.mul (local.get $i) (i32.const 5)) (i32.const 12347)) (i32.const 4095))
          (i32.const 2)))
      (br_if $fill (i32.lt_u
        (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 4096))))
    (local.set $i (i32.const 0))
    (loop $next
      (local.set $i (i32.load offset=2097152 (local.get $i)))
      (br_if $next (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (local.get $i))

  ;; Five bodies at 3 MiB, seven floats each: place, speed, mass. A turn moves them all once.
  (func $body (param $at i32) (param $x f64) (param $y f64) (param $z f64)
      (param $u f64) (param $v f64) (param $w f64) (param $mass f64)
    (f64.store offset=0 (local.get $at) (local.get $x))
    (f64.store offset=8 (local.get $at) (local.get $y))
    (f64.store offset=16 (local.get $at) (local.get $z))
    (f64.store offset=24 (local.get $at) (local.get $u))
    (f64.store offset=32 (local.get $at) (local.get $v))
    (f64.store offset=40 (local.get $at) (local.get $w))
    (f64.store offset=48 (local.get $at) (local.get $mass)))
  (func $pull (param $a i32) (param $b i32)
      (local $x f64) (local $y f64) (local $z f64) (local $square f64) (local $force f64)
      (local $on_a f64) (local $on_b f64)
    (local.set $x (f64.sub (f64.load (local.get $a)) (f64.load (local.get $b))))
    (local.set $y (f64.sub (f64.load offset=8 (local.get $a)) (f64.load offset=8 (local.get $b))))
    (local.set $z (f64.sub (f64.load offset=16 (local.get $a)) (f64.load offset=16 (local.get $b))))
    (local.set $square (f64.add (f64.mul (local.get $x) (local.get $x)) (f64.add
      (f64.mul (local.get $y) (local.get $y)) (f64.mul (local.get $z) (local.get $z)))))
    (local.set $force (f64.div (f64.const 0.01)
      (f64.mul (local.get $square) (f64.sqrt (local.get $square)))))
    (local.set $on_a (f64.mul (f64.load offset=48 (local.get $b)) (local.get $force)))
    (local.set $on_b (f64.mul (f64.load offset=48 (local.get $a)) (local.get $force)))
    (f64.store offset=24 (local.get $a) (f64.sub (f64.load offset=24 (local.get $a))
      (f64.mul (local.get $x) (local.get $on_a))))
    (f64.store offset=32 (local.get $a) (f64.sub (f64.load offset=32 (local.get $a))
      (f64.mul (local.get $y) (local.get $on_a))))
    (f64.store offset=40 (local.get $a) (f64.sub (f64.load offset=40 (local.get $a))
      (f64.mul (local.get $z) (local.get $on_a))))
    (f64.store offset=24 (local.get $b) (f64.add (f64.load offset=24 (local.get $b))
      (f64.mul (local.get $x) (local.get $on_b))))
    (f64.store offset=32 (local.get $b) (f64.add (f64.load offset=32 (local.get $b))
      (f64.mul (local.get $y) (local.get $on_b))))
    (f64.store offset=40 (local.get $b) (f64.add (f64.load offset=40 (local.get $b))
      (f64.mul (local.get $z) (local.get $on_b)))))
  (func $drift (param $body i32)
    (f64.store (local.get $body) (f64.add (f64.load (local.get $body))
      (f64.mul (f64.const 0.01) (f64.load offset=24 (local.get $body)))))
    (f64.store offset=8 (local.get $body) (f64.add (f64.load offset=8 (local.get $body))
      (f64.mul (f64.const 0.01) (f64.load offset=32 (local.get $body)))))
    (f64.store offset=16 (local.get $body) (f64.add (f64.load offset=16 (local.get $body))
      (f64.mul (f64.const 0.01) (f64.load offset=40 (local.get $body))))))
  (func (export "nbody") (param $n i32) (result i32) (local $a i32) (local $b i32)
    (call $body (i32.const 3145728) (f64.const 0) (f64.const 0) (f64.const 0)
      (f64.const 0) (f64.const 0) (f64.const 0) (f64.const 39.5))
    (call $body (i32.const 3145784) (f64.const 4.8) (f64.const -1.2) (f64.const -0.1)
      (f64.const 0.6) (f64.const 2.8) (f64.const -0.02) (f64.const 0.037))
    (call $body (i32.const 3145840) (f64.const 8.3) (f64.const 4.1) (f64.const -0.4)
      (f64.const -1.0) (f64.const 1.8) (f64.const 0.008) (f64.const 0.011))
    (call $body (i32.const 3145896) (f64.const 12.9) (f64.const -15.1) (f64.const -0.2)
      (f64.const 1.1) (f64.const 0.9) (f64.const -0.01) (f64.const 0.0017))
    (call $body (i32.const 3145952) (f64.const 15.4) (f64.const -25.9) (f64.const 0.18)
      (f64.const 1.0) (f64.const 0.6) (f64.const -0.03) (f64.const 0.002))
    (loop $next
      (local.set $a (i32.const 3145728))
      (loop $from
        (local.set $b (i32.add (local.get $a) (i32.const 56)))
        (loop $to
          (call $pull (local.get $a) (local.get $b))
          (br_if $to (i32.lt_u
            (local.tee $b (i32.add (local.get $b) (i32.const 56))) (i32.const 3146008))))
        (br_if $from (i32.lt_u
          (local.tee $a (i32.add (local.get $a) (i32.const 56))) (i32.const 3145952))))
      (local.set $a (i32.const 3145728))
      (loop $each
        (call $drift (local.get $a))
        (br_if $each (i32.lt_u
          (local.tee $a (i32.add (local.get $a) (i32.const 56))) (i32.const 3146008))))
      (br_if $next (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (i32.trunc_sat_f64_s (f64.mul (f64.const 1e6) (f64.load (i32.const 3145784))))))
