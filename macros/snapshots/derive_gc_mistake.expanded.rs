//! The expansion of `derive_gc_mistake.rs`.

::core::compile_error! {
    "`#[gc]` has no key `mutable`; the keys of `#[gc]` are `mut`, `packed`, `base`"
}
::core::compile_error! {
    "the handle has a function `new` already; give the field another name"
}
