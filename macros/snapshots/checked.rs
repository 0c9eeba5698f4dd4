//! A block that is checked against a guest.

#[host_module(receiver = "object", check = "snapshots/guest.wat")]
impl Text {
    fn len(&self) -> u32 {
        0
    }

    fn find(&self, byte: u8) -> Result<(bool, u64)> {
        Ok((false, 0))
    }

    fn not_imported() {}
}
