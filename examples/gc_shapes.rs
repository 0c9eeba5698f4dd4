//! Structs and arrays of a guest as Rust types: the host builds a drawing for the guest, the guest transforms it
//! and calls the host with its own shapes, and the host reads what came of it. All of it lies in the
//! guest's garbage-collected heap.
//!
//! `cargo run --example gc_shapes`

use hostref::{
    Caller, Engine, ExternRef, GcArray, GcStruct, Linker, Module, Result, RootScope, Rooted, Store,
    StructRef, host_module, wasm_exports,
};

/// What all shapes have.
#[derive(GcStruct, Debug)]
#[gc(open)]
struct Shape {
    #[gc(mut)]
    x: f64,
    #[gc(mut)]
    y: f64,
}

#[derive(GcStruct, Debug)]
struct Circle {
    #[gc(base)]
    at: Shape,
    radius: f64,
}

/// A shape with a name, which is an object of the host.
#[derive(GcStruct)]
struct Label {
    #[gc(base)]
    at: Shape,
    text: Rooted<ExternRef<String>>,
}

#[derive(GcArray)]
#[gc(mut)]
struct Drawing(Vec<Option<ShapeRef>>);

/// The store's data: what was drawn.
#[derive(Default)]
struct Canvas(Vec<String>);

#[host_module(name = "canvas", state = Canvas)]
impl Canvas {
    /// Draws any shape: finds out what it is, as the guest would with `ref.cast`.
    fn draw(cx: &mut Caller<'_, Canvas>, shape: ShapeRef) -> Result<()> {
        let (x, y) = (shape.x(&mut *cx)?, shape.y(&mut *cx)?);
        let line = if let Ok(circle) = shape.downcast::<StructRef<Circle>>(&*cx) {
            format!("a circle of {} at {x}, {y}", CircleRef::from(circle).radius(&mut *cx)?)
        } else if let Ok(label) = shape.downcast::<StructRef<Label>>(&*cx) {
            let text = LabelRef::from(label).text(&mut *cx)?;
            format!("\"{}\" at {x}, {y}", text.data(&*cx)?)
        } else {
            format!("something at {x}, {y}")
        };
        cx.data_mut().0.push(line);
        Ok(())
    }

    /// A new circle for the guest.
    fn circle(cx: &mut Caller<'_, Canvas>, radius: f64) -> Result<CircleRef> {
        CircleRef::new(cx, Circle { at: Shape { x: 0.0, y: 0.0 }, radius })
    }
}

#[wasm_exports(rename_all = "kebab-case")]
struct Guest {
    /// Moves every shape of a drawing, in place.
    shift: fn(drawing: DrawingRef, x: f64, y: f64),
    draw_all: fn(drawing: DrawingRef),
    /// The bounding box: its corners, as shapes without a form.
    corners: fn(drawing: DrawingRef) -> (ShapeRef, ShapeRef),
}

fn main() -> Result<()> {
    let engine = Engine::default();
    let module = Module::new(&engine, include_str!("gc_shapes.wat"))?;
    let mut linker = Linker::new(&engine);
    Canvas::add_to_linker(&mut linker)?;
    let mut store = Store::new(&engine, Canvas::default());
    let guest = Guest::instantiate(&mut store, &module, &linker)?;

    // What is made in the scope is garbage after it, but for what the guest holds.
    let mut scope = RootScope::new(&mut store);
    let circle = Circle { at: Shape { x: 1.0, y: 2.0 }, radius: 0.5 };
    let circle = CircleRef::new(&mut scope, circle)?;
    let text = ExternRef::new_typed(&mut scope, "here".to_owned())?;
    let label = LabelRef::new(&mut scope, Label { at: Shape { x: -3.0, y: 0.0 }, text })?;
    let shapes = vec![Some(circle.at(&scope)?), None, Some(label.at(&scope)?)];
    let drawing = DrawingRef::new(&mut scope, Drawing(shapes))?;

    guest.call_shift(&mut scope, drawing, 10.0, 0.0)?;
    guest.call_draw_all(&mut scope, drawing)?;
    let (low, high) = guest.call_corners(&mut scope, drawing)?;
    let (low, high) = (low.load(&mut scope)?, high.load(&mut scope)?);
    println!("from {}, {} to {}, {}", low.x, low.y, high.x, high.y);
    drop(scope);
    println!("{}", store.data().0.join("\n"));
    Ok(())
}
