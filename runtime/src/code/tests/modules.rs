//! Modules from their text to their results, with nothing around them.

use super::*;
use crate::abi::layout::VmCtxLayout;
use crate::compile::compile_module;
use crate::wasm::decode::{SUPPORTED, decode};

/// A module that needs nothing but a vmctx.
struct Instance {
    info: Arc<ModuleInfo>,
    code: CodeObject,
    ctx: Vec<u128>,
    store: Box<VmStore>,
}

impl Instance {
    fn new(text: &str) -> Instance {
        let bytes = wat::parse_str(text).unwrap();
        let decoded = decode(&bytes, SUPPORTED).unwrap();
        let engine = engine();
        let (info, artifact) = compile_module(&*engine.isa, &engine.tunables, decoded).unwrap();
        let info = Arc::new(info);
        let code = engine.publish(artifact, Some(info.clone())).unwrap();
        let ctx = vec![0; VmCtxLayout::new(&info).size() / 16 + 1];
        let store = Box::new(VmStore::new(&engine.epoch, engine.types().table().base()));
        store.backtrace_limit.set(128);
        Instance { info, code, ctx, store }
    }

    /// Calls defined function `index`, an `i64 -> i64`.
    fn call(&mut self, index: usize, argument: i64) -> Result<i64, Failure> {
        let store: *mut VmStore = &mut *self.store;
        let ctx = self.ctx.as_mut_ptr().cast::<VmCtx>();
        self.store.stack_limit.set(stack_limit(256 << 10));
        // SAFETY: the vmctx has room for a header, and everything outlives the call.
        unsafe {
            (*ctx).store = store;
            enter(store, self.code.function(index).as_ptr(), ctx, argument)
        }
    }
}

#[test]
fn a_module_computes_traps_and_overflows() {
    let mut instance = Instance::new(
        "(module
            (func $fib (param $n i64) (result i64)
                (if (result i64) (i64.lt_u (local.get $n) (i64.const 2))
                    (then (local.get $n))
                    (else (i64.add (call $fib (i64.sub (local.get $n) (i64.const 1)))
                                   (call $fib (i64.sub (local.get $n) (i64.const 2)))))))
            (func $div (param i64) (result i64) (i64.div_s (i64.const 100) (local.get 0)))
            (func $deep (param i64) (result i64) (i64.add (call $div (local.get 0)) (i64.const 1)))
            (func $endless (param i64) (result i64)
                (i64.add (call $endless (local.get 0)) (i64.const 1))))",
    );
    assert_eq!(instance.call(0, 20), Ok(6765));
    assert_eq!(instance.call(2, 7), Ok(15));
    let failure = instance.call(2, 0).unwrap_err();
    assert_eq!(failure.trap(), Some(Trap::IntegerDivisionByZero));
    assert_eq!(failure.functions(), [1, 2]);
    for (func, source) in failure.frames() {
        assert!(instance.info.bodies[func as usize].contains(&source));
    }
    let failure = instance.call(3, 0).unwrap_err();
    assert_eq!(failure.trap(), Some(Trap::StackOverflow));
    let functions = failure.functions();
    assert!(functions.len() >= 128 && functions.iter().all(|func| *func == 3), "{functions:?}");
    assert_eq!(instance.call(0, 10), Ok(55));
}
