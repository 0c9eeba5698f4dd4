//! Functions and a block under `#[cfg]`.

#[cfg(feature = "math")]
#[host_module(name = "math")]
impl Math {
    #[cfg(feature = "integers")]
    fn add(a: i32, b: i32) -> i32 {
        a + b
    }

    #[cfg(not(feature = "integers"))]
    fn add(a: f64, b: f64) -> f64 {
        a + b
    }
}
