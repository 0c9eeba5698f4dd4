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
pub mod __private {
    pub use crate::api::convert::{Abi, LoadError, Lowered, Reference, WasmBasic};
    pub use crate::api::func::enter::AbiArgs;
    pub use crate::api::func::host::HostFuncDef;
    pub use crate::api::func::shim::{AbiParams, AbiResults, HostFn, HostSignature};
    pub use crate::instance::store::StoreInner;
    pub use crate::vm::context::{VmCtx, VmStore};
}

pub use api::caller::Caller;
pub use api::convert::WasmTy;
pub use api::engine::{Config, Engine};
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
    ExternRef, GcHeapOutOfMemory, GcRef, HostData, ManuallyRooted, OwnedRooted, RootScope, Rooted,
    RootedGcRef,
};
pub use api::store::{
    AsContext, AsContextMut, Store, StoreContext, StoreContextMut, UpdateDeadline,
};
pub use api::table::Table;
pub use api::types::{
    ExportType, ExternType, FuncType, GlobalType, HeapType, ImportType, MemoryType, Mutability,
    RefType, TableType, ValType,
};
pub use api::value::{Ref, Val};
pub use error::{Error, Result};
pub use instance::backtrace::{FrameInfo, WasmBacktrace};
pub use trap::Trap;
pub use vm::value::ValRaw;
