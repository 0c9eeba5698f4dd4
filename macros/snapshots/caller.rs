//! The caller as the first parameter.

#[host_module(name = "env", state = App)]
impl Env {
    fn now(cx: &mut Caller<'_, App>, offset: u64) -> u64 {
        cx.data().clock + offset
    }
}
