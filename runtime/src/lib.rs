//! hostref hands Rust objects to WebAssembly, typed.

#![deny(unsafe_code)]

mod abi;
mod api;
#[allow(unsafe_code, reason = "turns the raw contexts of compiled code into stores")]
mod builtins;
mod code;
mod compile;
mod error;
mod gc;
mod instance;
mod trap;
#[allow(unsafe_code, reason = "the layer that compiled code touches")]
mod vm;
mod wasm;

#[doc(hidden)]
pub mod __private;

pub use __private::New;
pub use api::caller::Caller;
pub use api::convert::WasmTy;
pub use api::engine::{Config, Engine};
pub use api::exception::ThrownException;
pub use api::externs::Extern;
pub use api::func::Func;
pub use api::func::host::{IntoFunc, WasmRet};
pub use api::func::typed::{TypedFunc, WasmParams, WasmResults};
pub use api::global::Global;
pub use api::instance::{Export, Instance};
pub use api::linker::{InstancePre, Linker};
pub use api::linking::{ImportProblem, LinkError};
pub use api::memory::{Memory, MemoryAccessError};
pub use api::module::{Module, ModuleExport};
pub use api::refs::{
    ExnRef, ExternRef, GcHeapOutOfMemory, GcRef, HostData, ManuallyRooted, OwnedRooted, RootScope,
    Rooted, RootedGcRef,
};
pub use api::store::{
    AsContext, AsContextMut, Store, StoreContext, StoreContextMut, UpdateDeadline,
};
pub use api::table::Table;
pub use api::tag::Tag;
pub use api::types::{
    ExportType, ExternType, Finality, FuncType, GlobalType, HeapType, ImportType, MemoryType,
    MemoryTypeBuilder, Mutability, RefType, TableType, TagType, ValType,
};
pub use api::v128::V128;
pub use api::value::{Ref, Val};
pub use error::{Error, Result};
pub use hostref_macros::{WasmTy, host_module, wasm_exports};
pub use instance::backtrace::{FrameInfo, WasmBacktrace};
pub use trap::Trap;
pub use vm::value::ValRaw;
