//! A block that a guest does not fit.

#[host_module(receiver = "object", check = "snapshots/guest.wat")]
impl Text {
    #[cfg(feature = "len")]
    fn len(&self) -> u32 {
        0
    }

    fn fnid(&self, byte: u8) -> (bool, u64) {
        (false, 0)
    }
}
