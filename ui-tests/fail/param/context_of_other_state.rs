#![allow(unused)]

use hostref::{HostCx, host_module};

struct Events;

struct Other;

#[host_module(receiver = "state")]
impl Events {
    fn emit(cx: &mut HostCx<'_, Other>) {}

    fn beside(&self, cx: &mut HostCx<'_, Self>) {}
}

#[host_module]
impl Other {
    fn emit(cx: &mut HostCx<'_, Self>) {}

    fn second(code: i32, cx: &mut HostCx<'_, ()>) {}
}

fn main() {}
