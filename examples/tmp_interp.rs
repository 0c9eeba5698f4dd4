//! tmp
fn main() {
    let e = hostref::Engine::default();
    let m = hostref::Module::new(&e, std::fs::read("benches/guests/compute.wat").unwrap()).unwrap();
    let mut s = hostref::Store::new(&e, ());
    let i = hostref::Instance::new(&mut s, &m, &[]).unwrap();
    let f = i.get_typed_func::<i32, i32>(&mut s, &std::env::args().nth(1).unwrap()).unwrap();
    println!("{}", f.call(&mut s, std::env::args().nth(2).unwrap().parse().unwrap()).unwrap());
}
