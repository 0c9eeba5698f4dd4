//! Traps found by the processor and by software, at depth and many times.

use super::*;
use crate::abi::layout::memory::Bounds;
use crate::vm::entry::Vector;
use crate::vm::memory::LinearMemory;
use cranelift_codegen::ir::types::{F32, F64, I8X16, I32, I64};

/// Function 0 traps if its argument is 0 and else calls itself with one less.
fn recursive(trap: impl FnOnce(&mut Body<'_>, Value) -> Value) -> CodeObject {
    let mut code = Code::default();
    code.add(|body, vmctx, argument| {
        let [deeper, last] = [body.0.create_block(), body.0.create_block()];
        body.0.ins().brif(argument, deeper, &[], last, &[]);
        body.0.switch_to_block(deeper);
        let less = body.0.ins().iadd_imm_s(argument, -1);
        let result = body.call(0, vmctx, less);
        let result = body.0.ins().iadd(result, argument);
        body.0.ins().return_(&[result]);
        body.0.switch_to_block(last);
        trap(body, vmctx)
    });
    code.publish()
}

fn out_of_bounds() -> CodeObject {
    recursive(|body, vmctx| {
        let base = body.slot(vmctx, 2);
        let address = body.0.ins().iadd_imm_s(base, 0x1_2345_6789);
        body.0.ins().load(I64, MemFlagsData::new(), address, 0)
    })
}

#[test]
fn a_memory_fault_at_depth_arrives_with_its_address_and_frames() {
    let code = out_of_bounds();
    let memory = LinearMemory::new(&Arc::default(), Bounds::Reserved, 0, 0, None).unwrap();
    let mut store = TestStore::new();
    store.ctx.slots[2] = memory.base().addr().get();
    for depth in [0, 1, 5, 127, 128, 1000] {
        let failure = store.call(&code, 0, depth as i64).unwrap_err();
        let address = Some(memory.base().addr().get() + 0x1_2345_6789);
        assert_eq!(failure.fault, Some(Fault { trap: Trap::MemoryOutOfBounds, address }));
        assert_eq!(failure.functions(), vec![0; 128.min(depth + 1)]);
        assert_eq!(failure.backtrace.omitted, (depth + 1).saturating_sub(128));
        let pc = failure.backtrace.pcs[0];
        assert_eq!(code.map.trap(code.map.offset(pc).unwrap()), Some(2));
    }
}

#[test]
fn a_division_by_zero_is_a_signal() {
    let code = recursive(|body, _| {
        let zero = body.0.ins().iconst(I64, 0);
        let one = body.0.ins().iconst(I64, 1);
        body.0.ins().udiv(one, zero)
    });
    let failure = TestStore::new().call(&code, 0, 3).unwrap_err();
    assert_eq!(failure.fault, Some(Fault { trap: Trap::IntegerDivisionByZero, address: None }));
    assert_eq!(failure.functions(), [0; 4]);
}

#[test]
fn an_undefined_instruction_is_its_trap() {
    let code = recursive(|body, _| {
        let zero = body.0.ins().iconst(I64, 0);
        body.0.ins().trapz(zero, TrapCode::unwrap_user(Trap::CastFailure.code()));
        zero
    });
    assert_eq!(TestStore::new().call(&code, 0, 3).unwrap_err().trap(), Some(Trap::CastFailure));
}

#[test]
fn a_software_trap_needs_no_signal() {
    let code = recursive(|body, vmctx| {
        body.raise_trap(vmctx, Trap::BadSignature);
        vmctx
    });
    let failure = TestStore::new().call(&code, 0, 4).unwrap_err();
    assert_eq!(failure.fault, Some(Fault { trap: Trap::BadSignature, address: None }));
    assert_eq!(failure.functions(), [0; 5]);
    assert_eq!(failure.backtrace.omitted, 0);
}

#[test]
fn a_backtrace_is_taken_only_where_it_is_wanted() {
    let code = out_of_bounds();
    let mut store = TestStore::new();
    store.store.backtrace_limit.set(0);
    let failure = store.call(&code, 0, 4).unwrap_err();
    assert_eq!(failure.backtrace, Backtrace::default());
}

#[test]
fn a_hundred_thousand_traps_leave_no_trace() {
    let hard = out_of_bounds();
    let soft = recursive(|body, vmctx| {
        body.raise_trap(vmctx, Trap::UnreachableCodeReached);
        vmctx
    });
    let mut store = TestStore::new();
    for round in 0..100_000 {
        let (code, trap) = match round % 2 {
            0 => (&hard, Trap::MemoryOutOfBounds),
            _ => (&soft, Trap::UnreachableCodeReached),
        };
        assert_eq!(store.call(code, 0, 2).unwrap_err().trap(), Some(trap));
    }
}

#[test]
fn threads_trap_while_code_comes_and_goes() {
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                for _ in 0..20 {
                    let code = out_of_bounds();
                    let mut store = TestStore::new();
                    for _ in 0..50 {
                        let failure = store.call(&code, 0, 9).unwrap_err();
                        assert_eq!(failure.functions(), [0; 10]);
                    }
                }
            });
        }
    });
}

#[expect(
    improper_ctypes_definitions,
    reason = "rustc passes a vector as the processor's C ABI does"
)]
type Entry<R> =
    unsafe extern "C" fn(*mut VmStore, *const u8, *mut VmCtx, i32, i64, f32, f64, Vector) -> R;
#[expect(
    improper_ctypes_definitions,
    reason = "rustc passes a vector as the processor's C ABI does"
)]
type ManyEntry = unsafe extern "C" fn(
    *mut VmStore,
    *const u8,
    *mut VmCtx,
    *mut ValRaw,
    i32,
    i64,
    f32,
    f64,
    Vector,
);

/// # Safety
///
/// `entry` is a typed entry trampoline for these parameters with the result `R`.
unsafe fn typed<R>(entry: crate::code::CodePtr) -> Entry<R> {
    // SAFETY: the caller's duty.
    unsafe { std::mem::transmute::<*const u8, Entry<R>>(entry.as_ptr()) }
}

#[test]
fn typed_entries_pass_every_type_in_registers() {
    let mut code = Code::default();
    let all = [I32, I64, F32, F64, I8X16];
    for (position, ty) in all.into_iter().enumerate() {
        code.add_with(&all, &[ty], |_, params| vec![params[position + 1]]);
    }
    code.add_with(&all, &all, |_, params| params[1..].to_vec());
    let code = code.publish();

    use LoweredType::{F32 as LF32, F64 as LF64, I32 as LI32, I64 as LI64, V128};
    let lowered = [LI32, LI64, LF32, LF64, V128];
    let entry = |results: &[LoweredType]| {
        let sig = LoweredSig { params: lowered.into(), results: results.into() };
        engine().trampoline(TrampolineKind::TypedEntry, &sig).unwrap()
    };
    let mut test = TestStore::new();
    test.store.stack_limit.set(stack_limit(1 << 16));
    let store: *mut VmStore = &mut *test.store;
    let ctx: *mut VmCtx = std::ptr::from_mut(&mut *test.ctx).cast();
    let (a, b, c, d, e) = (-1i32, i64::MIN, 0.5f32, -2.5f64, Vector::new(7 << 100));
    let at = |index: usize| code.function(index).as_ptr();
    // SAFETY: each entry is made for the types of the call; code and store outlive it.
    unsafe {
        assert_eq!(typed::<i32>(entry(&[LI32]))(store, at(0), ctx, a, b, c, d, e), a);
        assert_eq!(typed::<i64>(entry(&[LI64]))(store, at(1), ctx, a, b, c, d, e), b);
        assert_eq!(typed::<f32>(entry(&[LF32]))(store, at(2), ctx, a, b, c, d, e), c);
        assert_eq!(typed::<f64>(entry(&[LF64]))(store, at(3), ctx, a, b, c, d, e), d);
        let result = typed::<Vector>(entry(&[V128]))(store, at(4), ctx, a, b, c, d, e);
        assert_eq!(result.bits(), 7 << 100);
        let mut results = [ValRaw::i32(0); 5];
        let call = std::mem::transmute::<*const u8, ManyEntry>(entry(&lowered).as_ptr());
        call(store, at(5), ctx, results.as_mut_ptr(), a, b, c, d, e);
        assert_eq!(results[0].get_i32(), a);
        assert_eq!(results[1].get_i64(), b);
        assert_eq!(results[2].get_f32(), c.to_bits());
        assert_eq!(results[3].get_f64(), d.to_bits());
        assert_eq!(results[4].get_v128(), 7 << 100);
    }
    assert_eq!(entry(&[LI32]), entry(&[LI32]));
}
