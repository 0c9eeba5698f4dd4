//! The types of references that are always null: what stands for the bottoms of the hierarchies in Rust.

use crate::api::value::{Ref, Val};

macro_rules! bottoms {
    ($($(#[$doc:meta])* $name:ident = $hierarchy:ident;)*) => {$(
        $(#[$doc])*
        ///
        /// It has no values: an `Option` of it is always `None`, which stands for null.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $name {}

        impl $name {
            /// Null.
            pub fn null() -> Option<$name> {
                None
            }

            /// Null, as a reference of any type.
            pub fn null_ref() -> Ref {
                Ref::$hierarchy(None)
            }

            /// Null, as a value of any type.
            pub fn null_val() -> Val {
                $name::null_ref().into()
            }
        }
    )*};
}

bottoms! {
    /// What a reference to nothing in the place of a struct, an array or an `i31` leads to:
    /// WebAssembly's `none`.
    ///
    /// ```
    /// use hostref::{Engine, Instance, Module, NoneRef, Result, Store};
    ///
    /// # fn main() -> Result<()> {
    /// let engine = Engine::default();
    /// let module = Module::new(&engine, r#"
    ///     (module (func (export "end") (result nullref) (ref.null none)))
    /// "#)?;
    /// let mut store = Store::new(&engine, ());
    /// let instance = Instance::new(&mut store, &module, &[])?;
    /// let end = instance.get_typed_func::<(), Option<NoneRef>>(&mut store, "end")?;
    /// assert_eq!(end.call(&mut store, ())?, NoneRef::null());
    /// # Ok(())
    /// # }
    /// ```
    NoneRef = Any;
    /// What a reference to nothing in the place of a host object leads to: WebAssembly's `noextern`.
    NoExtern = Extern;
    /// What a reference to nothing in the place of a function leads to: WebAssembly's `nofunc`.
    NoFunc = Func;
    /// What a reference to nothing in the place of an exception leads to: WebAssembly's `noexn`.
    NoExn = Exn;
}
