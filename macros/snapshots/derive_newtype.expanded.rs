//! The expansion of `derive_newtype.rs`.

#[automatically_derived]
impl ::hostref::WasmTy for Meters {
    type Wasm = <f64 as ::hostref::WasmTy>::Wasm;
    fn into_wasm(self) -> Self::Wasm {
        ::hostref::WasmTy::into_wasm(self.0)
    }
    fn try_from_wasm(__wasm: Self::Wasm) -> ::hostref::Result<Self> {
        ::hostref::Result::Ok(Self {
            0: ::hostref::WasmTy::try_from_wasm(__wasm)?,
        })
    }
}
#[automatically_derived]
impl ::hostref::__private::DerivesWasmTy for Meters {}
#[automatically_derived]
impl renamed::WasmTy for Handle {
    type Wasm = <u32 as renamed::WasmTy>::Wasm;
    fn into_wasm(self) -> Self::Wasm {
        renamed::WasmTy::into_wasm(self.raw)
    }
    fn try_from_wasm(__wasm: Self::Wasm) -> renamed::Result<Self> {
        renamed::Result::Ok(Self {
            raw: renamed::WasmTy::try_from_wasm(__wasm)?,
        })
    }
}
#[automatically_derived]
impl renamed::__private::DerivesWasmTy for Handle {}
