//! Wasm backtraces: which functions were on the stack when a guest was stopped.

use std::fmt;

use super::module::Module;
use crate::wasm::index::FuncIndex;
use crate::wasm::module::ModuleInfo;

/// The Wasm functions that were active when a guest was stopped, innermost first.
///
/// It is attached to the errors of calls as context; `error.downcast_ref::<WasmBacktrace>()` gives
/// it back. `Config::wasm_backtrace(false)` switches it off.
///
/// ```
/// use hostref::{Engine, Instance, Module, Result, Store, Trap, WasmBacktrace};
///
/// # fn main() -> Result<()> {
/// let engine = Engine::default();
/// let module = Module::new(&engine, r#"(module (func $oops (export "run") unreachable))"#)?;
/// let mut store = Store::new(&engine, ());
/// let instance = Instance::new(&mut store, &module, &[])?;
/// let run = instance.get_typed_func::<(), ()>(&mut store, "run")?;
///
/// let error = run.call(&mut store, ()).unwrap_err();
/// assert_eq!(error.downcast_ref::<Trap>(), Some(&Trap::UnreachableCodeReached));
/// let backtrace = error.downcast_ref::<WasmBacktrace>().expect("backtraces are on by default");
/// let frame = &backtrace.frames()[0];
/// assert_eq!(frame.func_name(), Some("oops"));
/// assert!(Module::same(frame.module(), &module));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct WasmBacktrace {
    frames: Vec<FrameInfo>,
    omitted: usize,
}

/// One function of a [`WasmBacktrace`].
#[derive(Clone)]
pub struct FrameInfo {
    module: Module,
    func: FuncIndex,
    offset: Option<u32>,
}

impl WasmBacktrace {
    pub(crate) fn new(frames: Vec<FrameInfo>, omitted: usize) -> WasmBacktrace {
        WasmBacktrace { frames, omitted }
    }

    /// The frames, innermost first. Deep stacks are cut at their outer end: see
    /// `Config::wasm_backtrace_max_frames`.
    pub fn frames(&self) -> &[FrameInfo] {
        &self.frames
    }
}

impl FrameInfo {
    pub(crate) fn new(module: Module, func: FuncIndex, offset: Option<u32>) -> FrameInfo {
        FrameInfo { module, func, offset }
    }

    fn info(&self) -> &ModuleInfo {
        &self.module.shared().info
    }

    /// The module of the function. It lives as long as the backtrace does.
    pub fn module(&self) -> &Module {
        &self.module
    }

    /// The index of the function in its module, imported functions included.
    pub fn func_index(&self) -> u32 {
        self.func.0
    }

    /// The function's name from the name section.
    pub fn func_name(&self) -> Option<&str> {
        self.info().function_names.get(&self.func).map(|name| &**name)
    }

    /// The module's name from the name section.
    pub fn module_name(&self) -> Option<&str> {
        self.info().name.as_deref()
    }

    /// The byte offset of that instruction from the start of its function's body.
    pub fn func_offset(&self) -> Option<usize> {
        let body = &self.info().bodies[self.info().defined_func(self.func)?.index()];
        (self.offset? as usize).checked_sub(body.start)
    }

    /// The byte offset in the module of the instruction that was being executed.
    pub fn module_offset(&self) -> Option<usize> {
        self.offset.map(|offset| offset as usize)
    }
}

impl fmt::Debug for FrameInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FrameInfo({self})")
    }
}

impl fmt::Display for FrameInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(offset) = self.offset {
            write!(f, "{offset:#8x} - ")?;
        }
        write!(f, "{}!", self.module_name().unwrap_or("<unknown>"))?;
        match self.func_name() {
            Some(name) => f.write_str(name),
            None => write!(f, "<wasm function {}>", self.func.0),
        }
    }
}

impl fmt::Display for WasmBacktrace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("error while executing at wasm backtrace:")?;
        for (position, frame) in self.frames.iter().enumerate() {
            write!(f, "\n    {position}: {frame}")?;
        }
        match self.omitted {
            0 => Ok(()),
            1 => f.write_str("\n    .. at least 1 more frame"),
            omitted => write!(f, "\n    .. at least {omitted} more frames"),
        }
    }
}
