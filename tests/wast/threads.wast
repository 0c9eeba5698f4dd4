;; Threads that share a memory: who waits is woken, and what one thread wrote before an atomic store is
;; what another reads after an atomic load that saw it.

(module $Mem (memory (export "memory") 1 4 shared))
(register "mem" $Mem)

;; A message: plain data, then a flag.

(thread $Writer (shared (module $Mem))
  (register "mem" $Mem)
  (module
    (memory (import "mem" "memory") 1 4 shared)
    (func (export "write")
      (i64.store (i32.const 64) (i64.const 0x0123_4567_89ab_cdef))
      (memory.fill (i32.const 128) (i32.const 9) (i32.const 100))
      (i32.atomic.store (i32.const 0) (i32.const 1))))
  (invoke "write"))

(thread $Reader (shared (module $Mem))
  (register "mem" $Mem)
  (module
    (memory (import "mem" "memory") 1 4 shared)
    (func (export "read") (result i64)
      (loop $again (br_if $again (i32.eqz (i32.atomic.load (i32.const 0)))))
      (i64.load (i32.const 64)))
    (func (export "byte") (param i32) (result i32) (i32.load8_u (local.get 0))))
  (assert_return (invoke "read") (i64.const 0x0123_4567_89ab_cdef))
  (assert_return (invoke "byte" (i32.const 128)) (i32.const 9))
  (assert_return (invoke "byte" (i32.const 227)) (i32.const 9))
  (assert_return (invoke "byte" (i32.const 228)) (i32.const 0)))

(wait $Writer)
(wait $Reader)

;; Two stores and two loads of either: both loads never come before both stores.

(thread $Left (shared (module $Mem))
  (register "mem" $Mem)
  (module
    (memory (import "mem" "memory") 1 4 shared)
    (func (export "run")
      (i32.atomic.store (i32.const 1024) (i32.const 1))
      (i32.atomic.store (i32.const 1032) (i32.atomic.load (i32.const 1028)))))
  (invoke "run"))

(thread $Right (shared (module $Mem))
  (register "mem" $Mem)
  (module
    (memory (import "mem" "memory") 1 4 shared)
    (func (export "run")
      (i32.store (i32.const 1028) (i32.const 1))
      (atomic.fence)
      (i32.store (i32.const 1036) (i32.load (i32.const 1024)))))
  (invoke "run"))

(wait $Left)
(wait $Right)

(module $Check
  (memory (import "mem" "memory") 1 4 shared)
  (func (export "loads") (result i32)
    (i32.or (i32.load (i32.const 1032)) (i32.load (i32.const 1036))))
  (func (export "set") (param i32 i32) (i32.atomic.store (local.get 0) (local.get 1)))
  (func (export "get") (param i32) (result i32) (i32.atomic.load (local.get 0)))
  (func (export "size") (result i32) (memory.size))
  (func (export "wake") (param i32 i32) (result i32)
    (memory.atomic.notify (local.get 0) (local.get 1)))
  ;; Tries until it has woken so many.
  (func (export "wake until") (param $address i32) (param $count i32)
    (loop $again
      (local.set $count (i32.sub (local.get $count)
        (memory.atomic.notify (local.get $address) (local.get $count))))
      (br_if $again (local.get $count)))))

(assert_return (invoke "loads") (i32.const 1))

;; Waiting for ever, until somebody comes.

(thread $First (shared (module $Mem))
  (register "mem" $Mem)
  (module
    (memory (import "mem" "memory") 1 4 shared)
    (func (export "wait") (result i32)
      (memory.atomic.wait32 (i32.const 2048) (i32.const 0) (i64.const -1)))
    (func (export "wait longer") (result i32)
      (memory.atomic.wait64 (i32.const 2056) (i64.const 0) (i64.const 0x7fff_ffff_ffff_ffff))))
  (assert_return (invoke "wait") (i32.const 0))
  (assert_return (invoke "wait longer") (i32.const 0)))

(thread $Second (shared (module $Mem))
  (register "mem" $Mem)
  (module
    (memory (import "mem" "memory") 1 4 shared)
    (func (export "wait") (result i32)
      (memory.atomic.wait32 (i32.const 2048) (i32.const 0) (i64.const -1))))
  (assert_return (invoke "wait") (i32.const 0)))

(assert_return (invoke "wake" (i32.const 2052) (i32.const -1)) (i32.const 0))
(assert_return (invoke "wake" (i32.const 2048) (i32.const 0)) (i32.const 0))
(assert_return (invoke "wake until" (i32.const 2048) (i32.const 2)))
(assert_return (invoke "wake until" (i32.const 2056) (i32.const 1)))
(wait $First)
(wait $Second)

;; A value that has changed is not waited for.

(thread $Late (shared (module $Mem))
  (register "mem" $Mem)
  (module
    (memory (import "mem" "memory") 1 4 shared)
    (func (export "wait") (result i32)
      (memory.atomic.wait32 (i32.const 3072) (i32.const 0) (i64.const -1))))
  ;; It is woken, or finds the new value.
  (assert_return (invoke "wait") (either (i32.const 0) (i32.const 1)))
  (assert_return (invoke "wait") (i32.const 1)))

(invoke "set" (i32.const 3072) (i32.const 42))
(assert_return (invoke "wake" (i32.const 3072) (i32.const 1)) (either (i32.const 0) (i32.const 1)))
(wait $Late)

;; A memory that grows.

(thread $Grower (shared (module $Mem))
  (register "mem" $Mem)
  (module
    (memory (import "mem" "memory") 1 4 shared)
    (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0)))
    (func (export "store") (param i32) (i32.atomic.store (local.get 0) (i32.const 6))))
  (assert_return (invoke "grow" (i32.const 2)) (i32.const 1))
  (assert_return (invoke "grow" (i32.const 2)) (i32.const -1))
  (assert_return (invoke "grow" (i32.const 1)) (i32.const 3))
  (assert_return (invoke "store" (i32.const 0x3fffc)))
  (assert_trap (invoke "store" (i32.const 0x40000)) "out of bounds memory access")
  (assert_trap (invoke "store" (i32.const 0x40002)) "unaligned atomic"))

(wait $Grower)
(assert_return (invoke "size") (i32.const 4))
(assert_return (invoke "get" (i32.const 0x3fffc)) (i32.const 6))

;; A thread within a thread.

(thread $Outer (shared (module $Mem))
  (module $Inside (memory (export "memory") 1 1 shared))
  (thread $Inner (shared (module $Inside))
    (register "inside" $Inside)
    (module
      (memory (import "inside" "memory") 1 1 shared)
      (func (export "add") (drop (i64.atomic.rmw.add (i32.const 8) (i64.const 5)))))
    (invoke "add")
    (invoke "add"))
  (wait $Inner)
  (register "inside" $Inside)
  (module
    (memory (import "inside" "memory") 1 1 shared)
    (func (export "get") (result i64) (i64.atomic.load (i32.const 8))))
  (assert_return (invoke "get") (i64.const 10)))

(wait $Outer)

;; What only one of both is.

(assert_unlinkable
  (module (memory (import "mem" "memory") 1 4))
  "incompatible import type")
(module $Own (memory (export "memory") 1 1))
(register "own" $Own)
(assert_unlinkable
  (module (memory (import "own" "memory") 1 1 shared))
  "incompatible import type")
(module
  (memory (import "own" "memory") 1 1)
  (func (export "wait") (param i32) (result i32)
    (memory.atomic.wait32 (local.get 0) (i32.const 0) (i64.const 0)))
  (func (export "notify") (param i32) (result i32)
    (memory.atomic.notify (local.get 0) (i32.const 1))))
(assert_trap (invoke "wait" (i32.const 0)) "expected shared memory")
(assert_trap (invoke "wait" (i32.const 1)) "unaligned atomic")
(assert_trap (invoke "wait" (i32.const 0x10000)) "out of bounds memory access")
(assert_return (invoke "notify" (i32.const 0)) (i32.const 0))
