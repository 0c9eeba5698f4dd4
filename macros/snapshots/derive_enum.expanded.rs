//! The expansion of `derive_enum.rs`.

#[automatically_derived]
impl ::hostref::WasmTy for Color {
    type Wasm = <::core::primitive::u8 as ::hostref::WasmTy>::Wasm;
    fn into_wasm(self) -> Self::Wasm {
        <::core::primitive::u8 as ::hostref::WasmTy>::into_wasm(
            self as ::core::primitive::u8,
        )
    }
    fn try_from_wasm(__wasm: Self::Wasm) -> ::hostref::Result<Self> {
        if __wasm
            == <::core::primitive::u8 as ::hostref::WasmTy>::into_wasm(
                Self::Red as ::core::primitive::u8,
            )
        {
            return ::hostref::Result::Ok(Self::Red);
        }
        if __wasm
            == <::core::primitive::u8 as ::hostref::WasmTy>::into_wasm(
                Self::Green as ::core::primitive::u8,
            )
        {
            return ::hostref::Result::Ok(Self::Green);
        }
        ::hostref::Result::Err(
            ::hostref::__private::unknown_discriminant(
                "Color",
                &__wasm,
                &[
                    ("Red", &(Self::Red as ::core::primitive::u8)),
                    ("Green", &(Self::Green as ::core::primitive::u8)),
                ],
            ),
        )
    }
}
#[automatically_derived]
impl ::hostref::__private::DerivesWasmTy for Color {}
#[automatically_derived]
impl ::hostref::__private::GcPacked for Color {
    type Part = ::hostref::__private::Packed<Self>;
    type Stored = ::core::primitive::u8;
    fn pack(self) -> ::core::primitive::u8 {
        self as ::core::primitive::u8
    }
    fn unpack(__stored: ::core::primitive::u8) -> ::hostref::Result<Self> {
        let __wasm = <::core::primitive::u8 as ::hostref::WasmTy>::into_wasm(__stored);
        <Self as ::hostref::WasmTy>::try_from_wasm(__wasm)
    }
}
