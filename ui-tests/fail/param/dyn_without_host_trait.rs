#![allow(unused)]

use hostref::{ExternRef, Rooted, host_module, host_trait};

trait Plain {}

#[host_trait]
trait Shape {}

struct Env;

#[host_module(name = "env")]
impl Env {
    fn area(shape: &dyn Plain) {}

    fn change(shape: &mut dyn Shape) {}

    fn root(shape: Rooted<ExternRef<dyn Plain>>) {}
}

fn main() {}
