#![allow(unused)]

use hostref::{Engine, Linker, host_module};

struct Counter(i32);

#[host_module(name = "counter", recever = "object")]
impl Counter {
    async fn wait() {}

    fn take(self) -> i32 {
        self.0
    }

    fn first((a, _): (i32, i32)) -> i32 {
        a
    }

    fn name() -> &'static str {
        "counter"
    }

    fn each<T>(value: T) {}
}

fn main() {
    let mut linker: Linker<()> = Linker::new(&Engine::default());
    Counter::add_to_linker(&mut linker).unwrap();
}
