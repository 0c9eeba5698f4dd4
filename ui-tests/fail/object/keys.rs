#![allow(unused)]

use hostref::HostObject;

#[derive(HostObject)]
#[host_object(frzen)]
struct A;

#[derive(HostObject)]
#[host_object(cast = Shape)]
struct B;

#[derive(HostObject)]
#[host_object(cast(Shape))]
struct C;

#[derive(HostObject)]
#[host_object(size)]
struct D;

#[derive(HostObject)]
#[host_object]
struct E;

#[derive(HostObject)]
struct F<T>(T);

fn main() {}
