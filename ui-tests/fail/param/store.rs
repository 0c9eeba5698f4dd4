#![allow(unused)]

use hostref::{Caller, HostCx, Store, StoreContextMut, host_module};

struct App;

struct Env;

#[host_module(name = "env", state = App)]
impl Env {
    fn shared(cx: &Caller<'_, App>) {}

    fn owned(cx: Caller<'_, App>) {}

    fn whole(store: &mut Store<App>) {}

    fn view(store: StoreContextMut<'_, App>) {}

    fn library(cx: &HostCx<'_, ()>) {}
}

fn main() {}
