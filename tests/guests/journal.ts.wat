(module
 (type $0 (func (param i32) (result externref)))
 (type $1 (func (param externref externref) (result externref)))
 (type $2 (func (param externref) (result i32)))
 (type $3 (func (param externref i32)))
 (import "journal" "open" (func $as/journal/open (param i32) (result externref)))
 (import "journal" "len" (func $as/journal/len (param externref) (result i32)))
 (import "journal" "write" (func $as/journal/write (param externref i32)))
 (import "journal" "merge" (func $as/journal/merge (param externref externref) (result externref)))
 (memory $0 0)
 (export "even_and_odd" (func $as/journal/even_and_odd))
 (export "longer" (func $as/journal/longer))
 (export "memory" (memory $0))
 (func $as/journal/longer (param $0 externref) (param $1 externref) (result externref)
  local.get $0
  local.get $1
  local.get $0
  call $as/journal/len
  local.get $1
  call $as/journal/len
  i32.ge_s
  select (result externref)
 )
 (func $as/journal/even_and_odd (param $0 i32) (result externref)
  (local $1 i32)
  (local $2 externref)
  (local $3 externref)
  local.get $0
  call $as/journal/open
  local.set $2
  local.get $0
  call $as/journal/open
  local.set $3
  loop $for-loop|0
   local.get $0
   local.get $1
   i32.gt_s
   if
    local.get $3
    local.get $2
    local.get $1
    i32.const 1
    i32.and
    select (result externref)
    local.get $1
    call $as/journal/write
    local.get $1
    i32.const 1
    i32.add
    local.set $1
    br $for-loop|0
   end
  end
  local.get $2
  local.get $3
  call $as/journal/merge
 )
)
