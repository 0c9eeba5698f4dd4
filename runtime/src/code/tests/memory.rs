//! Code memory: published, run, freed, and the process stays as large as it was.

use super::*;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::code::trampolines::Trampolines;
use crate::compile::compile_trampoline;
use crate::vm::code_memory::alloc;

fn resident_bytes() -> usize {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap();
    statm.split(' ').nth(1).unwrap().parse::<usize>().unwrap() * rustix::param::page_size()
}

fn artifact() -> Artifact<'static> {
    let mut code = Code::default();
    code.add(|body, vmctx, argument| body.call(1, vmctx, argument));
    code.add(|body, vmctx, argument| {
        let condition = body.0.ins().ireduce(types::I8, argument);
        body.if_nonzero(condition, argument, |body| {
            body.raise_trap(vmctx, Trap::CastFailure);
            argument
        })
    });
    link(&*engine().isa, code.functions)
}

fn copy(artifact: &Artifact<'static>) -> Artifact<'static> {
    let rows = postcard::to_allocvec(&artifact.tables).unwrap();
    Artifact {
        text: artifact.text.clone(),
        relocs: artifact.relocs.clone(),
        tables: postcard::from_bytes(&rows).unwrap(),
    }
}

#[test]
fn ten_thousand_modules_leave_the_process_as_it_was() {
    // In a process without other tests, whose memory would be counted too.
    const CHILD: &str = "HOSTREF_TEST_TEN_THOUSAND_MODULES";
    if std::env::var_os(CHILD).is_some() {
        return publish_ten_thousand_modules();
    }
    let test = "code::tests::memory::ten_thousand_modules_leave_the_process_as_it_was";
    let mut child = std::process::Command::new(std::env::current_exe().unwrap());
    let output = child.args(["--exact", test]).env(CHILD, "1").output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
}

fn publish_ten_thousand_modules() {
    let artifact = artifact();
    let module = Arc::new(ModuleInfo::default());
    let mut store = TestStore::new();
    let mut round = |rounds: usize| {
        let mut kept = std::collections::VecDeque::new();
        for _ in 0..rounds {
            let code = engine().publish(copy(&artifact), Some(module.clone())).unwrap();
            assert_eq!(store.call(&code, 0, 0), Ok(0));
            kept.push_back(code);
            if kept.len() > 7 {
                kept.pop_front();
            }
        }
        assert_eq!(store.call(&kept[0], 0, 1).unwrap_err().trap(), Some(Trap::CastFailure));
    };
    round(100);
    let before = resident_bytes();
    round(10_000);
    // A page for each module would be 40 MiB.
    let growth = resident_bytes().saturating_sub(before);
    assert!(growth < 1 << 20, "{growth} bytes more");
    assert_eq!(Arc::strong_count(&module), 1);
}

#[test]
fn code_is_found_while_it_lives_and_its_tables_are_sorted() {
    let code = engine().publish(artifact(), Some(Arc::default())).unwrap();
    let map = &code.map;
    let tables = code.tables();
    assert!(tables.functions.is_sorted_by(|a, b| a.end <= b.start));
    assert!(tables.traps.find(u32::MAX).is_some());
    for (index, function) in tables.functions.iter().enumerate() {
        assert_eq!(code.function(index).as_ptr().addr(), map.base + function.start as usize);
        assert_eq!(function_at(map.base + function.end as usize - 1), index as u32);
    }
    // SAFETY: `code` lives.
    assert!(std::ptr::eq(unsafe { lookup(map.base) }.unwrap(), &**map));
}

#[test]
fn the_text_of_published_code_is_what_was_published() {
    let artifact = artifact();
    let code = engine().publish(copy(&artifact), Some(Arc::default())).unwrap();
    assert!(!code.relocs().is_empty());
    assert_eq!((code.text(), code.relocs()), (artifact.text.into_owned(), &*artifact.relocs));
    assert_eq!(*code.tables(), artifact.tables);
}

#[test]
fn an_empty_artifact_has_no_code() {
    let code = engine().publish(link(&*engine().isa, Vec::new()), None).unwrap();
    assert_eq!((code.tables().functions.len(), code.text().len()), (0, 0));
}

#[test]
fn pages_come_back_in_any_order() {
    let mut regions = Vec::new();
    let mut random = 12345u32;
    for _ in 0..5_000 {
        random = random.wrapping_mul(1_103_515_245).wrapping_add(12345);
        let pick = (random >> 16) as usize;
        if regions.len() < 40 {
            let region = alloc(pick % (256 << 10)).unwrap();
            // SAFETY: a fresh region is writable, and nobody else knows it.
            unsafe { region.ptr.write_bytes(0xcc, region.len) };
            regions.push(region);
        } else {
            regions.swap_remove(pick % regions.len());
        }
    }
    let disjoint = |regions: &mut Vec<crate::vm::code_memory::CodeRegion>| {
        regions.sort_by_key(|region| region.ptr);
        regions
            .windows(2)
            .all(|pair| pair[0].ptr.addr().get() + pair[0].len <= pair[1].ptr.addr().get())
    };
    assert!(disjoint(&mut regions));
    assert!(alloc(2 << 30).is_err());
}

#[test]
fn a_trampoline_that_many_threads_need_is_compiled_once() {
    let trampolines = Trampolines::default();
    let published = AtomicUsize::new(0);
    let made = || {
        let kind = TrampolineKind::TypedEntry;
        let code = trampolines.get_or_make(kind, &sig(), || {
            published.fetch_add(1, Ordering::Relaxed);
            engine().publish(compile_trampoline(&*engine().isa, kind, &sig())?, None)
        });
        code.unwrap().as_ptr().addr()
    };
    let made: Vec<usize> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(made)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert!(made.windows(2).all(|pair| pair[0] == pair[1]), "{made:?}");
    assert_eq!(published.into_inner(), 1);
}
