;; Joins two host strings by a host function.
(module
  (import "host-string" "concat" (func $concat (param externref externref) (result externref)))
  (func (export "run") (param $a externref) (param $b externref) (result externref)
    (call $concat (local.get $a) (local.get $b))))
