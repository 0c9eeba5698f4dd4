//! Every form of `#[host_module]` that is supported.

use hostref::{Caller, ExternRef, Func, ManuallyRooted, New, Rooted, WasmTy, host_module};

#[derive(Default)]
struct App {
    log: Log,
}

#[derive(Default)]
struct Log(Vec<i32>);

struct Counter(i32);

#[derive(WasmTy)]
struct Handle(u32);

type Outcome<T> = Result<T, std::io::Error>;
type Maybe<T> = Option<T>;

#[host_module(name = "counter", receiver = "object", state = App, rename_all = "kebab-case")]
impl Counter {
    fn make() -> New<Counter> {
        New(Counter(0))
    }
    fn get(&self) -> i32 {
        self.0
    }
    fn add<'a>(&'a mut self, other: &'a Counter) {
        self.0 += other.0;
    }
    fn beside(&self, cx: &mut Caller<'_, App>) -> usize_like::Count {
        usize_like::Count(cx.data().log.0.len() as u64)
    }
    fn options(a: Maybe<&Counter>, b: Option<&mut Counter>) -> (bool, bool) {
        (a.is_some(), b.is_some())
    }
    fn references(
        a: Rooted<ExternRef<Counter>>,
        b: Option<Rooted<ExternRef<Counter>>>,
        c: Rooted<ExternRef>,
        d: Option<Rooted<ExternRef>>,
        e: ManuallyRooted<ExternRef>,
        f: Option<ManuallyRooted<ExternRef<Counter>>>,
        g: Func,
        h: Option<Func>,
    ) -> Outcome<(Rooted<ExternRef<Counter>>, Option<Func>)> {
        Ok((a, h))
    }
    fn values(a: u8, b: char, c: Handle, d: bool) -> Handle {
        c
    }
    #[host(skip)]
    async fn not_for_guests<T>(self, _: T) -> &'static str {
        ""
    }
}

mod usize_like {
    #[derive(hostref::WasmTy)]
    pub struct Count(pub u64);
}

#[host_module(receiver = "state", link = "link")]
impl Log {
    fn push(&mut self, line: i32) -> hostref::Result<()> {
        self.0.push(line);
        Ok(())
    }
    fn last(&self) -> i32 {
        self.0.last().copied().unwrap_or_default()
    }
}

fn main() -> hostref::Result<()> {
    let mut linker = hostref::Linker::new(&hostref::Engine::default());
    Counter::add_to_linker(&mut linker)?;
    Log::link(&mut linker, |app| &mut app.log)
}
