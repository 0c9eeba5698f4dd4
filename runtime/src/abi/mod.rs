//! The contract of `compile` and `vm`, as data. `compile` emits code that obeys it, `vm` declares
//! the `repr(C)` structs it describes and asserts every offset against `offset_of!`.
//!
//! # Calling conventions
//!
//! | code | convention | arguments |
//! |---|---|---|
//! | Wasm function | Cranelift `Tail` | `(vmctx, params..) -> results..` |
//! | builtin trampoline | `Tail` | `(vmctx, params..) -> result?` |
//! | exit trampoline | `Tail` | `(host_func, params..) -> results..` |
//! | typed entry | C | `(store, code, callee_ctx, [results out], params..) -> result?` |
//! | array entry | C | `(store, code, callee_ctx, slots)` |
//! | host shim, typed | C | `(store, host_func, [results out], params..) -> result?` |
//! | host shim, array | C | `(store, host_func, slots)` |
//! | builtin | C | `(store, vmctx, params..) -> result?` |
//!
//! `store` is a `*mut VmStore`, `slots` and `results out` point to 16-byte [`layout::SLOT_SIZE`]
//! slots (`ValRaw`); `results out` exists exactly when there are two or more results.
//! References of the GC heap are `i32`, function references `i64` pointers to function records.
//!
//! # Caller
//!
//! Wasm code stores its own vmctx to `VmStore::caller` before every call that may reach a host
//! function (imports, `call_indirect`, `call_ref`, and their tail-calling forms).
//!
//! # Failure
//!
//! A host shim or a fallible builtin that fails leaves the reason in the store and sets
//! `VmStore::unwinding`; the trampoline tests the flag after the call and, in a cold block, calls
//! [`builtins::Builtin::Raise`], which walks to the nearest handler. Rust frames are never skipped.
//!
//! # Exceptions
//!
//! A call inside a `try_table` is a `try_call` with the handlers in scope; its table names tags by
//! their offset in the vmctx ([`layout::VmCtxLayout::tag`]), which it keeps in the frame. The
//! handler gets the exception, a reference, as the first payload word. An exception that no handler
//! of the innermost activation is for goes the way of a failure.

pub(crate) mod builtins;
pub(crate) mod code_map;
pub(crate) mod exception;
pub(crate) mod gc_layout;
pub(crate) mod layout;
pub(crate) mod object;
pub(crate) mod offset_table;
pub(crate) mod plain;
pub(crate) mod shape;
pub(crate) mod signature;
