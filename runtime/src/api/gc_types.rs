//! Public types of structs and arrays: what can be defined in a module and named in a reference type.

use std::fmt;

use super::engine::Engine;
use crate::wasm::types::TypeId;

macro_rules! object_types {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone)]
        pub struct $name {
            engine: Engine,
            id: TypeId,
        }

        impl $name {
            /// Whether objects of this type may be used where `other` is expected.
            pub fn matches(&self, other: &$name) -> bool {
                Engine::same(&self.engine, &other.engine)
                    && self.engine.shared().types().is_subtype(self.id, other.id)
            }

            /// The type with this id, which is one of such objects.
            pub(crate) fn from_id(engine: &Engine, id: TypeId) -> $name {
                $name { engine: engine.clone(), id }
            }

            pub(crate) fn id(&self) -> TypeId {
                self.id
            }

            pub(crate) fn engine(&self) -> &Engine {
                &self.engine
            }
        }

        impl PartialEq for $name {
            fn eq(&self, other: &$name) -> bool {
                Engine::same(&self.engine, &other.engine) && self.id == other.id
            }
        }

        impl Eq for $name {}

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }
    )*};
}

object_types! {
    /// The type of a struct, registered with an engine.
    StructType;
    /// The type of an array, registered with an engine.
    ArrayType;
}
