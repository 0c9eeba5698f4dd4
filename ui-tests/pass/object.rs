//! Every form of `#[derive(HostObject)]` and `#[host_trait]`, and where such objects may stand.

use hostref::{Engine, ExternRef, HostObject, Linker, New, Rooted, Take, host_module, host_trait};

#[host_trait]
pub trait Shape {
    fn area(&self) -> f64;
}

mod named {
    #[hostref::host_trait]
    pub(crate) trait Named: Send + Sync {
        fn name(&self) -> String;
    }
}

#[derive(HostObject)]
struct Plain;

#[derive(HostObject)]
#[host_object(name = "square", cast(dyn Shape, dyn named::Named), frozen, size = Square::bytes)]
pub struct Square {
    side: f64,
}

#[derive(HostObject)]
#[host_object(size = bytes_of)]
enum Tree {
    Leaf,
    Node(Box<Tree>),
}

fn bytes_of(tree: &Tree) -> usize {
    match tree {
        Tree::Leaf => 0,
        Tree::Node(inner) => size_of::<Tree>() + bytes_of(inner),
    }
}

impl Square {
    fn bytes(&self) -> usize {
        0
    }
}

impl Shape for Square {
    fn area(&self) -> f64 {
        self.side * self.side
    }
}

impl named::Named for Square {
    fn name(&self) -> String {
        "square".into()
    }
}

type Fallible<T> = std::result::Result<T, std::fmt::Error>;

#[host_module(receiver = "object")]
impl Square {
    fn bare(side: f64) -> Square {
        Square { side }
    }
    fn fallible() -> Fallible<Square> {
        Err(std::fmt::Error)
    }
    fn several() -> (Plain, i32, New<Square>, Option<New<Tree>>) {
        (Plain, 0, New(Square { side: 1.0 }), None)
    }
    fn area(&self) -> f64 {
        self.side * self.side
    }
    fn dynamic(shape: &dyn Shape, named: Option<&dyn named::Named>) -> f64 {
        shape.area() + named.map_or(0.0, |named| named.name().len() as f64)
    }
    fn taken<'a>(square: Take<Square>, tree: Option<Take<Tree>>, shape: &'a (dyn Shape + 'a)) {
        let _ = (square.0, tree.map(|tree| tree.0), shape.area());
    }
    fn rooted(shape: Rooted<ExternRef<dyn Shape>>) -> Option<Rooted<ExternRef<dyn Shape>>> {
        Some(shape)
    }
}

pub(crate) fn main() -> hostref::Result<()> {
    let leaf = Tree::Node(Box::new(Tree::Leaf));
    assert!(leaf.external_bytes() > 0 && !Tree::FROZEN && Square::FROZEN);
    let mut linker: Linker<()> = Linker::new(&Engine::default());
    Square::add_to_linker(&mut linker)
}
