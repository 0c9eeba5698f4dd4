//! A process with too little address space for a GC heap: an error that gives the value back.

use std::process::Command;

use hostref::{ExternRef, GcHeapOutOfMemory, Result, Store};

/// Bytes of address space, in the unit of `ulimit -v`: enough for code, not for a heap.
const LIMIT: &str = "3000000";

const LIMITED: &str = "HOSTREF_TEST_LIMITED";

#[test]
fn a_heap_that_cannot_be_made_gives_the_value_back() -> Result<()> {
    if std::env::var_os(LIMITED).is_some() {
        return with_little_address_space();
    }
    // The limit is the process's: another one, which runs this test again.
    let status = Command::new("sh")
        .args(["-c", "ulimit -v $0 && exec \"$@\"", LIMIT])
        .arg(std::env::current_exe()?)
        .args(["--exact", "a_heap_that_cannot_be_made_gives_the_value_back"])
        .env(LIMITED, "1")
        .status()?;
    assert!(status.success(), "{status}");
    Ok(())
}

fn with_little_address_space() -> Result<()> {
    let mut store = Store::<()>::default();
    for _ in 0..2 {
        let error = ExternRef::new(&mut store, "value").unwrap_err();
        let value = error.downcast::<GcHeapOutOfMemory<&str>>()?.into_inner();
        assert_eq!(value, "value");
        store.gc();
    }
    Ok(())
}
