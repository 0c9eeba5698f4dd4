#![allow(unused)]

use hostref::{HostObject, host_trait};

#[host_trait]
trait Shape {}

trait Plain {}

#[derive(HostObject)]
#[host_object(cast(dyn Shape))]
struct Circle(f64);

#[derive(HostObject)]
#[host_object(cast(dyn Plain))]
struct Square(f64);

impl Plain for Square {}

fn main() {}
