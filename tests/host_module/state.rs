//! `receiver = "state"`: methods on a part of the store's data.

use super::*;

#[derive(Default)]
struct App {
    log: Log,
    other: u32,
}

#[derive(Default)]
struct Log {
    lines: Vec<i32>,
}

#[host_module(name = "log", receiver = "state", state = App)]
impl Log {
    fn push(&mut self, line: i32, scale: &Counter) -> u32 {
        self.lines.push(line * scale.0 as i32);
        self.lines.len() as u32
    }
    fn last(&self) -> i32 {
        self.lines.last().copied().unwrap_or(-1)
    }
    fn version() -> i32 {
        7
    }
    fn touch(cx: &mut Caller<'_, App>) -> u32 {
        cx.data_mut().other += 1;
        cx.data().other
    }
}

/// Serves any store: the data type is the linker's.
#[derive(Default)]
struct Clock(u64);

#[host_module(receiver = "state")]
impl Clock {
    fn tick(&mut self) -> u64 {
        self.0 += 1;
        self.0
    }
}

#[test]
fn a_state_receiver_is_reached_through_the_projection() {
    let engine = Engine::default();
    let mut linker = Linker::new(&engine);
    Log::add_to_linker(&mut linker, |app| &mut app.log).unwrap();
    let mut store = Store::new(&engine, App::default());
    let scale = ExternRef::new_typed(&mut store, Counter(10)).unwrap();
    let import = r#"(import "log" "push" (func (param i32 externref) (result i32)))"#;
    for count in 1..3 {
        let params = [Val::I32(count), extern_val(scale)];
        let results = call(&mut store, &linker, import, &params, 1).unwrap();
        assert_eq!(results[0].unwrap_i32(), count);
    }
    assert_eq!(store.data().log.lines, [10, 20]);
    for (name, expected) in [("last", 20), ("version", 7), ("touch", 1)] {
        let import = format!(r#"(import "log" "{name}" (func (result i32)))"#);
        let results = call(&mut store, &linker, &import, &[], 1).unwrap();
        assert_eq!(results[0].unwrap_i32(), expected, "{name}");
    }
    assert_eq!(store.data().other, 1);
}

#[test]
fn a_block_without_a_state_type_serves_stores_of_any() {
    fn run<T: 'static>(data: T, project: fn(&mut T) -> &mut Clock) -> T {
        let engine = Engine::default();
        let mut linker = Linker::new(&engine);
        Clock::add_to_linker(&mut linker, project).unwrap();
        let mut store = Store::new(&engine, data);
        let import = r#"(import "clock" "tick" (func (result i64)))"#;
        for tick in 1..4 {
            let results = call(&mut store, &linker, import, &[], 1).unwrap();
            assert_eq!(results[0].unwrap_i64(), tick);
        }
        store.into_data()
    }
    assert_eq!(run(Clock::default(), |clock| clock).0, 3);
    assert_eq!(run((1, Clock::default()), |pair| &mut pair.1).1.0, 3);
}
