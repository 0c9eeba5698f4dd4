#![allow(unused)]

use hostref::host_trait;

#[host_trait]
struct Shape;

#[host_trait]
trait Of<T> {}

#[host_trait(name = "shape")]
trait Named {}

fn main() {}
