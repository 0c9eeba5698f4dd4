//! hostref hands Rust objects to WebAssembly, typed.
//!
//! A host writes ordinary Rust; [`host_module`] turns its functions into those that a guest imports,
//! with parameters such as `&Text` checked and borrowed on the way. [`wasm_exports`] makes the
//! exports of a guest methods of a struct. Underneath is an embedding runtime with the names that
//! embedders know from Wasmtime: [`Engine`], [`Module`], [`Linker`], [`Store`], [`Instance`],
//! [`Func`].
//!
//! ```
//! use hostref::{
//!     Engine, ExternRef, Linker, Module, Result, Rooted, Store, host_module, wasm_exports,
//! };
//!
//! /// What the guest gets to hold: it can pass it on, and never look inside.
//! pub struct Document {
//!     words: Vec<String>,
//! }
//!
//! #[host_module(name = "document", receiver = "object")]
//! impl Document {
//!     fn count(&self) -> u32 {
//!         self.words.len() as u32
//!     }
//!
//!     fn truncate(&mut self, len: u32) {
//!         self.words.truncate(len as usize);
//!     }
//! }
//!
//! #[wasm_exports]
//! struct Guest {
//!     halve: fn(document: Rooted<ExternRef<Document>>),
//! }
//!
//! # fn main() -> Result<()> {
//! let engine = Engine::default();
//! let module = Module::new(&engine, r#"
//!     (module
//!         (import "document" "count" (func $count (param externref) (result i32)))
//!         (import "document" "truncate" (func $truncate (param externref i32)))
//!         (func (export "halve") (param $document externref)
//!             (call $truncate (local.get $document)
//!                 (i32.shr_u (call $count (local.get $document)) (i32.const 1)))))
//! "#)?;
//! let mut linker = Linker::new(&engine);
//! Document::add_to_linker(&mut linker)?;
//! let mut store = Store::new(&engine, ());
//! let guest = Guest::instantiate(&mut store, &module, &linker)?;
//!
//! let words = ["to", "be", "or", "not"].map(String::from).to_vec();
//! let document = ExternRef::new_typed(&mut store, Document { words })?;
//! guest.call_halve(&mut store, document)?;
//! assert_eq!(document.data(&store)?.words, ["to", "be"]);
//! # Ok(())
//! # }
//! ```
//!
//! # Objects
//!
//! [`ExternRef::new_typed`] puts a Rust value under the care of the store's garbage collector and
//! gives a [`Rooted`] handle to it, good until the current [`RootScope`] ends; [`ManuallyRooted`]
//! keeps it longer. The value is dropped when neither handles nor guests refer to it, at the latest
//! with the store. Nobody needs to call [`Store::gc`].
//!
//! # Failures
//!
//! A guest's fault is a [`Trap`], an error of a host function is that very error, both as
//! [`Error`] with a [`WasmBacktrace`] as context: `error.downcast_ref::<Trap>()`. A panic of a host
//! function resumes in the embedder. The store stays usable after each. Guests are stopped from
//! outside by [`Engine::increment_epoch`], and limited by [`Config`].
//!
//! # Guests at compile time
//!
//! With the feature `check`, `#[host_module(check = "guest.wat")]` and `#[wasm_exports(check = "guest.wat")]`
//! read a guest at compile time, as text or as bytes; the path is relative to the folder of
//! `Cargo.toml`, and a change of the file compiles the item again. Each function that the guest imports
//! from the module must be in the block, and each export of the struct in the guest, with types that
//! link. A mismatch is an error of the compiler, at the type:
//!
//! ```text
//! error[E0277]: the guest passes `i64`, but this parameter takes `i32`
//!  --> src/main.rs:9:22
//!   |
//! 9 |     fn write(number: u32) {}
//!   |                      ^^^ `i32` in Wasm, `i64` in the guest
//! ```
//!
//! Types are compared, not their names in the source. References to types of the guest's own are
//! compared when it is linked. What a guest imports that a block cannot define comes from a module of
//! another name.
//!
//! # Feature flags
//!
//! * `wat` (default): [`Module::new`] accepts the text format.
//! * `check`: the key `check = "guest.wat"` of [`host_module`] and [`wasm_exports`] reads a guest at
//!   compile time.
//! * `tracing`: a span of the `tracing` crate, at the level `TRACE`, around each call of a function of
//!   [`host_module`] and of [`wasm_exports`]: `host function` with the fields `module` and `name`, and
//!   `export` with `name`.

#![deny(unsafe_code)]

mod abi;
mod api;
#[allow(unsafe_code, reason = "turns the raw contexts of compiled code into stores")]
mod builtins;
mod code;
mod compile;
pub mod error;
mod gc;
mod instance;
mod trap;
#[allow(unsafe_code, reason = "the layer that compiled code touches")]
mod vm;
mod wasm;

#[doc(hidden)]
pub mod __private;

/// The types of guests, by the names that the compiler's messages about `check = ".."` have for them.
///
/// There are no values of these; programs have no use for them.
pub mod guest_types {
    pub use crate::api::signature::names::{
        address, anyref, arrayref, defined, eqref, exnref, externref, func, funcref, global,
        i31ref, memory, nothing, nullexnref, nullexternref, nullfuncref, nullref, ref_any,
        ref_array, ref_defined, ref_eq, ref_exn, ref_extern, ref_func, ref_i31, ref_noexn,
        ref_noextern, ref_nofunc, ref_none, ref_struct, structref, table, tag, unchecked,
    };
}

pub use __private::{Copied, GuestData, GuestElement, New, Ptr, Take};
pub use anyhow::{bail, ensure, format_err};
pub use api::caller::Caller;
pub use api::convert::WasmTy;
pub use api::engine::{Config, Engine, EngineWeak, OptLevel};
pub use api::exception::ThrownException;
pub use api::externs::Extern;
pub use api::func::Func;
pub use api::func::host::{IntoFunc, WasmRet};
pub use api::func::typed::{TypedFunc, WasmParams, WasmResults};
pub use api::gc_field::{GcField, GcNumber};
pub use api::gc_types::{ArrayType, FieldType, StorageType, StructType};
pub use api::global::Global;
pub use api::host_cx::HostCx;
pub use api::instance::{Export, Instance};
pub use api::linker::{InstancePre, Linker};
pub use api::linking::{ImportProblem, LinkError};
pub use api::memory::{Memory, MemoryAccessError};
pub use api::module::{ExportType, ImportType, Module, ModuleExport, ResourcesRequired};
pub use api::object::HostObject;
pub use api::precompiled::Precompiled;
pub use api::rec_group::{RecField, RecGroup, RecMember, RecType};
pub use api::refs::target::{ExternTarget, HostTrait};
pub use api::refs::{
    AnyArray, AnyKind, AnyRef, AnyStruct, ArrayKind, ArrayRef, ArrayRefPre, EqKind, EqRef, ExnRef,
    ExternRef, GcHeapOutOfMemory, GcRef, HostData, I31, I31OutOfRange, ManuallyRooted, NoExn,
    NoExtern, NoFunc, NoneRef, ObjectRef, ObjectRefMut, OwnedRooted, RootScope, Rooted,
    RootedGcRef, StructKind, StructRef, StructRefPre,
};
pub use api::shared_memory::SharedMemory;
pub use api::signature::{
    DeclaredType, FunctionSignature, GlobalSignature, ParamSignature, SignatureType, Signatures,
};
pub use api::store::{
    AsContext, AsContextMut, Store, StoreContext, StoreContextMut, UpdateDeadline,
};
pub use api::store_limits::{StoreLimits, StoreLimitsBuilder};
pub use api::table::Table;
pub use api::tag::Tag;
pub use api::types::{
    ExternType, Finality, FuncType, GlobalType, HeapType, MemoryType, MemoryTypeBuilder,
    Mutability, RefType, TableType, TagType, ValType,
};
pub use api::unknown_imports::UnknownImportError;
pub use api::v128::V128;
pub use api::value::{Ref, Val};
pub use error::{Error, Result};
pub use gc::GcStats;
pub use hostref_macros::{
    GcArray, GcStruct, HostObject, WasmTy, host_module, host_trait, wasm_exports,
};
pub use instance::backtrace::{FrameInfo, WasmBacktrace};
pub use instance::limiter::ResourceLimiter;
pub use instance::parking::WaitResult;
pub use trap::Trap;
pub use vm::value::ValRaw;
