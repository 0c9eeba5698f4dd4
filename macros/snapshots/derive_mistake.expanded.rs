//! The expansion of `derive_mistake.rs`.

::core::compile_error! {
    "the numbers of an enum are its ABI: fix their type with `#[repr(i32)]`, `#[repr(u8)]`, .."
}
#[automatically_derived]
impl ::hostref::WasmTy for Color {
    type Wasm = ::core::primitive::i32;
    fn into_wasm(self) -> Self::Wasm {
        0
    }
    fn try_from_wasm(_: Self::Wasm) -> ::hostref::Result<Self> {
        ::core::unreachable!("this program does not compile")
    }
}
#[automatically_derived]
impl ::hostref::__private::DerivesWasmTy for Color {}
