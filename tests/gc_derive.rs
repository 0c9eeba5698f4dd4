//! `#[derive(GcStruct)]` and `#[derive(GcArray)]`: objects go to guests and come back, with fields of all
//! kinds, and types are those of the guest.

use hostref::{
    AnyRef, Caller, Config, Engine, Error, ExternRef, Func, GcArray, GcStruct, I31, Linker, Module,
    Result, Rooted, Store, V128, WasmTy, host_module, wasm_exports,
};

#[derive(GcStruct, Clone, Debug, PartialEq)]
struct Point {
    x: f64,
    #[gc(mut)]
    y: f64,
}

#[derive(GcStruct)]
struct Node {
    value: i32,
    #[gc(mut)]
    next: Option<NodeRef>,
}

#[derive(GcArray)]
#[gc(mut)]
struct Bytes(Vec<u8>);

fn engines() -> [Engine; 2] {
    let mut stress = Config::new();
    stress.gc_stress(true);
    [Engine::default(), Engine::new(&stress).unwrap()]
}

struct Geometry;

#[host_module(name = "geometry", state = ())]
impl Geometry {
    fn mirror(cx: &mut Caller<'_, ()>, point: PointRef) -> Result<PointRef> {
        let (x, y) = (point.x(&mut *cx)?, point.y(&mut *cx)?);
        point.set_y(&mut *cx, 0.0)?;
        PointRef::new(cx, Point { x: -x, y })
    }
}

#[wasm_exports]
struct Guest {
    run: fn(point: PointRef) -> PointRef,
}

const GEOMETRY: &str = r#"
    (module
        (type $point (struct (field f64) (field (mut f64))))
        (import "geometry" "mirror" (func $mirror (param (ref null $point)) (result (ref null $point))))
        (func (export "run") (param $p (ref $point)) (result (ref null $point))
            (local $q (ref null $point))
            (local.set $q (call $mirror (local.get $p)))
            (struct.set $point 1 (local.get $q)
                (f64.add
                    (struct.get $point 1 (local.get $q))
                    (struct.get $point 1 (local.get $p))))
            (local.get $q)))
"#;

#[test]
fn structs_go_to_the_host_and_back() -> Result<()> {
    for engine in engines() {
        let module = Module::new(&engine, GEOMETRY)?;
        let mut linker = Linker::new(&engine);
        Geometry::add_to_linker(&mut linker)?;
        let mut store = Store::new(&engine, ());
        let guest = Guest::instantiate(&mut store, &module, &linker)?;
        let point = PointRef::new(&mut store, Point { x: 1.0, y: 2.0 })?;
        let mirrored = guest.call_run(&mut store, point)?;
        assert_eq!(mirrored.load(&mut store)?, Point { x: -1.0, y: 2.0 });
        assert_eq!(point.load(&mut store)?, Point { x: 1.0, y: 0.0 });
    }
    Ok(())
}
