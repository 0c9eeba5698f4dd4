#![allow(unused)]

use hostref::host_module;
use std::borrow::Cow;
use std::rc::Rc;
use std::sync::Arc;

struct Text(String);

struct Env;

#[host_module(name = "env")]
impl Env {
    fn boxed(text: Box<Text>) {}

    fn shared(text: Arc<Text>) {}

    fn counted(text: Rc<Text>) {}

    fn borrowed(text: Cow<'_, str>) {}
}

fn main() {}
