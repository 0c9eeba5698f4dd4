//! x
mod attr;
mod case;
mod derive;
mod errors;
mod exports;
mod host_module;
mod item;
mod krate;
mod lifetimes;
mod nearest;
mod spans;
use proc_macro::TokenStream;
/// x
#[proc_macro_attribute]
pub fn host_module(arguments: TokenStream, item: TokenStream) -> TokenStream {
    host_module::host_module(arguments.into(), item.into()).into()
}
/// x
#[proc_macro_attribute]
pub fn wasm_exports(arguments: TokenStream, item: TokenStream) -> TokenStream {
    exports::wasm_exports(arguments.into(), item.into()).into()
}
/// x
#[proc_macro_derive(WasmTy, attributes(wasm))]
pub fn derive_wasm_ty(item: TokenStream) -> TokenStream {
    derive::wasm_ty::derive(item.into()).into()
}
