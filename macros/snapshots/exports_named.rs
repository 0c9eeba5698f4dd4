//! Names of exports, and the runtime by another name.

#[wasm_exports(rename_all = "camelCase", crate = renamed)]
struct Guest {
    run_it: fn(),
    #[export(name = "on-exit")]
    exit: fn(code: i32),
}
