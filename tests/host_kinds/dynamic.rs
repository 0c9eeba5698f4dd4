//! `&dyn Trait` and references to trait objects.

use super::*;

#[host_trait]
trait Shape {
    fn area(&self) -> f64;
}

#[host_trait]
trait Named: Send + Sync {
    fn name(&self) -> String;
}

#[derive(HostObject)]
#[host_object(cast(dyn Shape, dyn Named))]
struct Square(f64);

#[derive(HostObject)]
#[host_object(cast(dyn Shape))]
struct Circle(f64);

impl Shape for Square {
    fn area(&self) -> f64 {
        self.0 * self.0
    }
}

impl Named for Square {
    fn name(&self) -> String {
        "square".into()
    }
}

impl Shape for Circle {
    fn area(&self) -> f64 {
        self.0 * self.0 * 3.0
    }
}

type AnyShape = dyn Shape;

struct Shapes;

#[host_module(name = "shapes", state = ())]
impl Shapes {
    fn square(side: f64) -> Square {
        Square(side)
    }
    fn circle(radius: f64) -> New<Circle> {
        New(Circle(radius))
    }
    fn area(shape: &dyn Shape) -> f64 {
        shape.area()
    }
    fn total(a: &AnyShape, b: Option<&dyn Shape>) -> f64 {
        a.area() + b.map_or(0.0, |b| b.area())
    }
    fn name_len(named: &dyn Named) -> u32 {
        named.name().len() as u32
    }
    fn grow(square: &mut Square, other: &dyn Shape) {
        square.0 += other.area();
    }
    fn rooted(
        cx: &mut Caller<'_, ()>,
        shape: Rooted<ExternRef<dyn Shape>>,
        other: Option<Rooted<ExternRef<dyn Shape>>>,
    ) -> Result<f64> {
        let other = match other {
            Some(other) => other.data(&*cx)?.area(),
            None => 0.0,
        };
        Ok(shape.data(&*cx)?.area() + other)
    }
}

const WAT: &str = r#"(module
    (func (export "square") (import "shapes" "square") (param f64) (result externref))
    (func (export "circle") (import "shapes" "circle") (param f64) (result externref))
    (func (export "area") (import "shapes" "area") (param externref) (result f64))
    (func (export "total") (import "shapes" "total") (param externref externref) (result f64))
    (func (export "name_len") (import "shapes" "name_len") (param externref) (result i32))
    (func (export "grow") (import "shapes" "grow") (param externref externref))
    (func (export "rooted") (import "shapes" "rooted") (param externref externref) (result f64)))"#;

fn shapes() -> (Store<()>, Instance) {
    guest(&Config::new(), (), WAT, Shapes::add_to_linker).unwrap()
}

const NULL: Val = Val::ExternRef(None);

#[test]
fn objects_of_several_types_are_one_trait() {
    let (mut store, guest) = shapes();
    let store = &mut store;
    let square = one(store, &guest, "square", &[Val::from(2.0_f64)]).unwrap();
    let circle = one(store, &guest, "circle", &[Val::from(1.0_f64)]).unwrap();
    assert_eq!(one(store, &guest, "area", &[square]).unwrap().unwrap_f64(), 4.0);
    assert_eq!(one(store, &guest, "area", &[circle]).unwrap().unwrap_f64(), 3.0);
    assert_eq!(one(store, &guest, "total", &[square, circle]).unwrap().unwrap_f64(), 7.0);
    assert_eq!(one(store, &guest, "total", &[square, NULL]).unwrap().unwrap_f64(), 4.0);
    assert_eq!(one(store, &guest, "total", &[square, square]).unwrap().unwrap_f64(), 8.0);
    assert_eq!(one(store, &guest, "rooted", &[square, circle]).unwrap().unwrap_f64(), 7.0);
    assert_eq!(one(store, &guest, "rooted", &[circle, NULL]).unwrap().unwrap_f64(), 3.0);
    assert_eq!(one(store, &guest, "name_len", &[square]).unwrap().unwrap_i32(), 6);
    call(store, &guest, "grow", &[square, circle]).unwrap();
    assert_eq!(one(store, &guest, "area", &[square]).unwrap().unwrap_f64(), 25.0);
}

#[test]
fn other_references_are_refused_and_named() {
    let (mut store, guest) = shapes();
    let store = &mut store;
    let circle = one(store, &guest, "circle", &[Val::from(1.0_f64)]).unwrap();
    let message = refused(store, &guest, "name_len", &[circle]);
    assert_contains(
        &message,
        "parameter `named` of `shapes::name_len`: expected a host object of type",
    );
    assert_contains(&message, "dyn host_kinds::dynamic::Named");
    assert_contains(&message, "found a host object of type `Circle`, which is not one");
    let plain = ExternRef::new_typed(&mut *store, Square(1.0)).unwrap();
    let plain = Val::from(plain.to_untyped());
    for name in ["area", "rooted"] {
        let params: &[Val] = if name == "area" { &[plain] } else { &[plain, NULL] };
        let message = refused(store, &guest, name, params);
        assert_contains(&message, "found a plain host object of type");
        assert_contains(&message, "make the object with `ExternRef::object`");
    }
    assert_contains(&refused(store, &guest, "area", &[NULL]), "found null");
    let square = one(store, &guest, "square", &[Val::from(2.0_f64)]).unwrap();
    let message = refused(store, &guest, "grow", &[square, square]);
    assert_contains(&message, "already mutably borrowed by parameter `square` of `shapes::grow`");
}

#[test]
fn an_embedder_s_object_is_seen_the_same_way() {
    let (mut store, guest) = shapes();
    let square = ExternRef::object(&mut store, Square(3.0)).unwrap();
    let value = Val::from(square.to_untyped());
    assert_eq!(one(&mut store, &guest, "area", &[value]).unwrap().unwrap_f64(), 9.0);
}
