//! The functions that Cranelift calls where the processor has no instruction: rounding before
//! SSE4.1, fused multiply-add, byte shuffles before SSSE3, and libc's memory functions. Symbols of
//! the process are never looked up by name.

use cranelift_codegen::ir::LibCall;

use crate::vm::entry::Vector;

/// The address of the C function that implements `call`.
///
/// # Panics
///
/// If our settings make Cranelift never emit that call.
pub(super) fn address(call: LibCall) -> usize {
    match call {
        LibCall::CeilF32 => ceil_f32 as *const (),
        LibCall::CeilF64 => ceil_f64 as *const (),
        LibCall::FloorF32 => floor_f32 as *const (),
        LibCall::FloorF64 => floor_f64 as *const (),
        LibCall::TruncF32 => trunc_f32 as *const (),
        LibCall::TruncF64 => trunc_f64 as *const (),
        LibCall::NearestF32 => nearest_f32 as *const (),
        LibCall::NearestF64 => nearest_f64 as *const (),
        LibCall::FmaF32 => fma_f32 as *const (),
        LibCall::FmaF64 => fma_f64 as *const (),
        LibCall::X86Pshufb => x86_pshufb as *const (),
        LibCall::Memcpy => libc::memcpy as *const (),
        LibCall::Memset => libc::memset as *const (),
        LibCall::Memmove => libc::memmove as *const (),
        LibCall::Memcmp => libc::memcmp as *const (),
        LibCall::Probestack | LibCall::ElfTlsGetAddr | LibCall::ElfTlsGetOffset => {
            unreachable!("compiled code has no stack probes and no thread-locals")
        }
    }
    .expose_provenance()
}

extern "C" fn ceil_f32(value: f32) -> f32 {
    quiet_f32(value).ceil()
}

extern "C" fn ceil_f64(value: f64) -> f64 {
    quiet_f64(value).ceil()
}

extern "C" fn floor_f32(value: f32) -> f32 {
    quiet_f32(value).floor()
}

extern "C" fn floor_f64(value: f64) -> f64 {
    quiet_f64(value).floor()
}

extern "C" fn trunc_f32(value: f32) -> f32 {
    quiet_f32(value).trunc()
}

extern "C" fn trunc_f64(value: f64) -> f64 {
    quiet_f64(value).trunc()
}

extern "C" fn nearest_f32(value: f32) -> f32 {
    quiet_f32(value).round_ties_even()
}

extern "C" fn nearest_f64(value: f64) -> f64 {
    quiet_f64(value).round_ties_even()
}

/// What an instruction makes of a signalling NaN; a library function may hand it on as it is.
fn quiet_f32(value: f32) -> f32 {
    if value.is_nan() { f32::from_bits(value.to_bits() | 0x0040_0000) } else { value }
}

/// As `quiet_f32`.
fn quiet_f64(value: f64) -> f64 {
    if value.is_nan() { f64::from_bits(value.to_bits() | 0x0008_0000_0000_0000) } else { value }
}

extern "C" fn fma_f32(a: f32, b: f32, c: f32) -> f32 {
    a.mul_add(b, c)
}

extern "C" fn fma_f64(a: f64, b: f64, c: f64) -> f64 {
    a.mul_add(b, c)
}

/// Each byte of the result is the byte of `bytes` that the low four bits of `selector` name, or 0
/// where the selector's high bit is set.
#[expect(
    improper_ctypes_definitions,
    reason = "rustc passes a vector as the processor's C ABI does"
)]
extern "C" fn x86_pshufb(bytes: Vector, selector: Vector) -> Vector {
    let bytes = bytes.bits().to_le_bytes();
    let select = |byte: u8| if byte & 0x80 == 0 { bytes[usize::from(byte & 15)] } else { 0 };
    Vector::new(u128::from_le_bytes(selector.bits().to_le_bytes().map(select)))
}

#[cfg(test)]
mod tests {
    #[test]
    fn rounding_quiets_nan_and_keeps_its_payload() {
        assert_eq!(super::ceil_f32(f32::from_bits(0xffa0_0001)).to_bits(), 0xffe0_0001);
        let nan = f64::from_bits(0x7ff4_0000_0000_0001);
        assert_eq!(super::nearest_f64(nan).to_bits(), 0x7ffc_0000_0000_0001);
        assert_eq!(super::floor_f64(-0.5), -1.0);
        assert!(super::trunc_f32(-0.5).is_sign_negative());
    }

    use super::*;

    #[test]
    fn a_shuffle_selects_bytes_or_zero() {
        let bytes = Vector::new(u128::from_le_bytes(std::array::from_fn(|i| i as u8 + 100)));
        let mut selector = [0x80; 16];
        selector[0] = 3;
        selector[15] = 0x7f;
        let result = x86_pshufb(bytes, Vector::new(u128::from_le_bytes(selector)));
        let mut expected = [0; 16];
        expected[0] = 103;
        expected[15] = 115;
        assert_eq!(result.bits().to_le_bytes(), expected);
    }

    #[test]
    fn ties_round_to_even() {
        assert_eq!(nearest_f64(2.5), 2.0);
        assert_eq!(nearest_f32(-0.25).to_bits(), (-0.0f32).to_bits());
    }
}
