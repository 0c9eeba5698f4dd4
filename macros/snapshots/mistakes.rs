//! Mistakes: the block is there, one message for each, good functions are registered.

#[host_module(nme = "env")]
impl Env {
    async fn wait() {}

    fn generic<T>(t: T) {}

    fn good() {}
}
