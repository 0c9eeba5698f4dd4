#![allow(unused)]

use hostref::{AnyRef, ArrayRef, EqRef, ExnRef, ExternRef, StructRef, host_module};

struct Text(String);

struct Env;

#[host_module(name = "env")]
impl Env {
    fn record(any: &StructRef) {}

    fn list(any: &mut ArrayRef) {}

    fn any(any: &AnyRef, comparable: Option<&EqRef>) {}

    fn object(any: &ExternRef, text: &ExternRef<Text>) {}

    fn failure(thrown: &ExnRef) {}
}

fn main() {}
