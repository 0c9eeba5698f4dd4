//! The expansion of `derive_gc_struct.rs`.

#[automatically_derived]
impl ::hostref::__private::GcStruct for Shape {}
///A reference to a struct of the type that [`Shape`] declares. It is rooted in the scope in which it was made, and free to copy.
pub struct ShapeHandle(::hostref::Rooted<::hostref::StructRef<Shape>>);
#[automatically_derived]
impl ::core::clone::Clone for ShapeHandle {
    fn clone(&self) -> Self {
        *self
    }
}
#[automatically_derived]
impl ::core::marker::Copy for ShapeHandle {}
#[automatically_derived]
impl ::core::fmt::Debug for ShapeHandle {
    fn fmt(&self, __f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
        ::hostref::__private::show_handle(__f, "ShapeHandle", &self.0)
    }
}
#[automatically_derived]
impl ::core::ops::Deref for ShapeHandle {
    type Target = ::hostref::Rooted<::hostref::StructRef<Shape>>;
    fn deref(&self) -> &::hostref::Rooted<::hostref::StructRef<Shape>> {
        &self.0
    }
}
#[automatically_derived]
impl ::core::convert::From<::hostref::Rooted<::hostref::StructRef<Shape>>>
for ShapeHandle {
    fn from(__root: ::hostref::Rooted<::hostref::StructRef<Shape>>) -> Self {
        Self(__root)
    }
}
#[automatically_derived]
impl ::core::convert::From<ShapeHandle>
for ::hostref::Rooted<::hostref::StructRef<Shape>> {
    fn from(__handle: ShapeHandle) -> Self {
        __handle.0
    }
}
#[automatically_derived]
impl ::hostref::__private::GcHandle for ShapeHandle {
    type Root = ::hostref::Rooted<::hostref::StructRef<Shape>>;
    fn from_root(__root: ::hostref::Rooted<::hostref::StructRef<Shape>>) -> Self {
        Self(__root)
    }
    fn into_root(self) -> ::hostref::Rooted<::hostref::StructRef<Shape>> {
        self.0
    }
}
#[automatically_derived]
impl ::hostref::__private::ByHandle for Shape {
    type Handle = ShapeHandle;
}
#[automatically_derived]
impl ::hostref::WasmTy for ShapeHandle {
    type Wasm = ::hostref::Rooted<::hostref::StructRef<Shape>>;
    fn into_wasm(self) -> ::hostref::Rooted<::hostref::StructRef<Shape>> {
        self.0
    }
    fn try_from_wasm(
        __root: ::hostref::Rooted<::hostref::StructRef<Shape>>,
    ) -> ::hostref::Result<Self> {
        ::hostref::Result::Ok(Self(__root))
    }
}
const _: () = {
    #[allow(unused_imports, reason = "there may be nothing to look at")]
    use ::hostref::__private::in_scope::*;
    #[automatically_derived]
    impl ::hostref::__private::GcType for Shape {
        const NAME: &'static ::core::primitive::str = "$Shape";
        fn define(__definition: &mut ::hostref::__private::GcDefinition) {
            ::hostref::__private::define_field(
                __definition,
                ::hostref::__private::PartProbe::<f64>::NEW.look(),
                "x",
                ::hostref::Mutability::Const,
            );
            ::hostref::__private::define_field(
                __definition,
                ::hostref::__private::PackedProbe::<bool>::NEW.look(),
                "hidden",
                ::hostref::Mutability::Var,
            );
            __definition.non_final();
        }
        fn group() -> ::std::vec::Vec<&'static ::hostref::__private::GcTypeKey> {
            ::std::vec![
                ::hostref::__private::GcTypeKey::of:: < Shape > (),
                ::hostref::__private::GcTypeKey::of:: < Circle > ()
            ]
        }
    }
    #[automatically_derived]
    impl ::hostref::__private::GcFields for Shape {
        const LEN: ::core::primitive::usize = 2usize;
        const OPEN: ::core::primitive::bool = true;
        fn write<'__a, __T: ::hostref::__private::GcStruct, __U: 'static>(
            self,
            __writer: ::hostref::__private::StructWriter<'__a, __T, __U>,
        ) -> ::hostref::Result<::hostref::__private::StructWriter<'__a, __T, __U>> {
            let __writer = ::hostref::__private::write_field(
                __writer,
                ::hostref::__private::PartProbe::<f64>::NEW.look(),
                self.x,
            )?;
            let __writer = ::hostref::__private::write_field(
                __writer,
                ::hostref::__private::PackedProbe::<bool>::NEW.look(),
                self.hidden,
            )?;
            ::hostref::Result::Ok(__writer)
        }
        #[allow(unused_variables, reason = "there may be no fields")]
        fn read<__T: ::hostref::__private::GcStruct, __U: 'static>(
            __root: ::hostref::Rooted<::hostref::StructRef<__T>>,
            __store: &mut ::hostref::StoreContextMut<'_, __U>,
        ) -> ::hostref::Result<Self> {
            ::hostref::Result::Ok(Self {
                x: ::hostref::__private::field(
                    ::hostref::__private::PartProbe::<f64>::NEW.look(),
                    __root,
                    &mut *__store,
                    0usize,
                    "x",
                )?,
                hidden: ::hostref::__private::field(
                    ::hostref::__private::PackedProbe::<bool>::NEW.look(),
                    __root,
                    &mut *__store,
                    1usize,
                    "hidden",
                )?,
            })
        }
    }
    #[allow(dead_code, private_interfaces, reason = "generated by #[derive(GcStruct)]")]
    impl ShapeHandle {
        /// A new struct with the fields of the value, rooted in the current scope.
        ///
        /// # Errors
        ///
        /// `GcHeapOutOfMemory` when the heap is full; if a reference in it is not rooted any more or
        /// belongs to another store.
        pub fn new(
            __store: impl ::hostref::AsContextMut,
            __value: Shape,
        ) -> ::hostref::Result<Self> {
            ::hostref::__private::new_struct(__store, __value).map(Self)
        }
        /// All fields, copied. References among them are rooted in the current scope.
        ///
        /// # Errors
        ///
        /// If the struct is not rooted any more or belongs to another store, or a field is not of its
        /// Rust type.
        pub fn load(
            &self,
            __store: impl ::hostref::AsContextMut,
        ) -> ::hostref::Result<Shape> {
            ::hostref::__private::load_struct(self.0, __store)
        }
        /// Where it is.
        ///
        ///
        /// # Errors
        ///
        /// If the struct is not rooted any more or belongs to another store, or the field is not of its Rust
        /// type.
        pub fn x(
            &self,
            __store: impl ::hostref::AsContextMut,
        ) -> ::hostref::Result<f64> {
            ::hostref::__private::field(
                ::hostref::__private::PartProbe::<f64>::NEW.look(),
                self.0,
                __store,
                0usize,
                "x",
            )
        }
        ///The field `hidden`.
        ///
        /// # Errors
        ///
        /// If the struct is not rooted any more or belongs to another store, or the field is not of its Rust
        /// type.
        fn hidden(
            &self,
            __store: impl ::hostref::AsContextMut,
        ) -> ::hostref::Result<bool> {
            ::hostref::__private::field(
                ::hostref::__private::PackedProbe::<bool>::NEW.look(),
                self.0,
                __store,
                1usize,
                "hidden",
            )
        }
        ///Changes the field `hidden`.
        ///
        /// # Errors
        ///
        /// If the struct or the value is not rooted any more or belongs to another store.
        fn set_hidden(
            &self,
            __store: impl ::hostref::AsContextMut,
            __value: bool,
        ) -> ::hostref::Result<()> {
            ::hostref::__private::set_field(
                ::hostref::__private::PackedProbe::<bool>::NEW.look(),
                self.0,
                __store,
                1usize,
                "hidden",
                __value,
            )
        }
    }
};
const _: () = ::core::assert!(
    < Shape as ::hostref::__private::GcFields > ::OPEN,
    "a type that others extend says `#[gc(open)]`"
);
#[automatically_derived]
impl ::hostref::__private::GcStruct for Circle {}
///A reference to a struct of the type that [`Circle`] declares. It is rooted in the scope in which it was made, and free to copy.
struct CircleRef(::hostref::Rooted<::hostref::StructRef<Circle>>);
#[automatically_derived]
impl ::core::clone::Clone for CircleRef {
    fn clone(&self) -> Self {
        *self
    }
}
#[automatically_derived]
impl ::core::marker::Copy for CircleRef {}
#[automatically_derived]
impl ::core::fmt::Debug for CircleRef {
    fn fmt(&self, __f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
        ::hostref::__private::show_handle(__f, "CircleRef", &self.0)
    }
}
#[automatically_derived]
impl ::core::ops::Deref for CircleRef {
    type Target = ::hostref::Rooted<::hostref::StructRef<Circle>>;
    fn deref(&self) -> &::hostref::Rooted<::hostref::StructRef<Circle>> {
        &self.0
    }
}
#[automatically_derived]
impl ::core::convert::From<::hostref::Rooted<::hostref::StructRef<Circle>>>
for CircleRef {
    fn from(__root: ::hostref::Rooted<::hostref::StructRef<Circle>>) -> Self {
        Self(__root)
    }
}
#[automatically_derived]
impl ::core::convert::From<CircleRef>
for ::hostref::Rooted<::hostref::StructRef<Circle>> {
    fn from(__handle: CircleRef) -> Self {
        __handle.0
    }
}
#[automatically_derived]
impl ::hostref::__private::GcHandle for CircleRef {
    type Root = ::hostref::Rooted<::hostref::StructRef<Circle>>;
    fn from_root(__root: ::hostref::Rooted<::hostref::StructRef<Circle>>) -> Self {
        Self(__root)
    }
    fn into_root(self) -> ::hostref::Rooted<::hostref::StructRef<Circle>> {
        self.0
    }
}
#[automatically_derived]
impl ::hostref::__private::ByHandle for Circle {
    type Handle = CircleRef;
}
#[automatically_derived]
impl ::hostref::WasmTy for CircleRef {
    type Wasm = ::hostref::Rooted<::hostref::StructRef<Circle>>;
    fn into_wasm(self) -> ::hostref::Rooted<::hostref::StructRef<Circle>> {
        self.0
    }
    fn try_from_wasm(
        __root: ::hostref::Rooted<::hostref::StructRef<Circle>>,
    ) -> ::hostref::Result<Self> {
        ::hostref::Result::Ok(Self(__root))
    }
}
const _: () = {
    #[allow(unused_imports, reason = "there may be nothing to look at")]
    use ::hostref::__private::in_scope::*;
    #[automatically_derived]
    impl ::hostref::__private::GcType for Circle {
        const NAME: &'static ::core::primitive::str = "$Circle";
        fn define(__definition: &mut ::hostref::__private::GcDefinition) {
            __definition.base::<Shape>();
            ::hostref::__private::define_field(
                __definition,
                ::hostref::__private::PartProbe::<Option<CircleRef>>::NEW.look(),
                "type",
                ::hostref::Mutability::Var,
            );
        }
        fn group() -> ::std::vec::Vec<&'static ::hostref::__private::GcTypeKey> {
            ::std::vec![
                ::hostref::__private::GcTypeKey::of:: < Shape > (),
                ::hostref::__private::GcTypeKey::of:: < Circle > ()
            ]
        }
    }
    #[automatically_derived]
    impl ::hostref::__private::GcFields for Circle {
        const LEN: ::core::primitive::usize = <Shape as ::hostref::__private::GcFields>::LEN
            + 1usize;
        const OPEN: ::core::primitive::bool = false;
        fn write<'__a, __T: ::hostref::__private::GcStruct, __U: 'static>(
            self,
            __writer: ::hostref::__private::StructWriter<'__a, __T, __U>,
        ) -> ::hostref::Result<::hostref::__private::StructWriter<'__a, __T, __U>> {
            let __writer = <Shape as ::hostref::__private::GcFields>::write(
                self.shape,
                __writer,
            )?;
            let __writer = ::hostref::__private::write_field(
                __writer,
                ::hostref::__private::PartProbe::<Option<CircleRef>>::NEW.look(),
                self.r#type,
            )?;
            ::hostref::Result::Ok(__writer)
        }
        #[allow(unused_variables, reason = "there may be no fields")]
        fn read<__T: ::hostref::__private::GcStruct, __U: 'static>(
            __root: ::hostref::Rooted<::hostref::StructRef<__T>>,
            __store: &mut ::hostref::StoreContextMut<'_, __U>,
        ) -> ::hostref::Result<Self> {
            ::hostref::Result::Ok(Self {
                shape: <Shape as ::hostref::__private::GcFields>::read(__root, __store)?,
                r#type: ::hostref::__private::field(
                    ::hostref::__private::PartProbe::<Option<CircleRef>>::NEW.look(),
                    __root,
                    &mut *__store,
                    <Shape as ::hostref::__private::GcFields>::LEN + 0usize,
                    "type",
                )?,
            })
        }
    }
    #[allow(dead_code, private_interfaces, reason = "generated by #[derive(GcStruct)]")]
    impl CircleRef {
        /// A new struct with the fields of the value, rooted in the current scope.
        ///
        /// # Errors
        ///
        /// `GcHeapOutOfMemory` when the heap is full; if a reference in it is not rooted any more or
        /// belongs to another store.
        fn new(
            __store: impl ::hostref::AsContextMut,
            __value: Circle,
        ) -> ::hostref::Result<Self> {
            ::hostref::__private::new_struct(__store, __value).map(Self)
        }
        /// All fields, copied. References among them are rooted in the current scope.
        ///
        /// # Errors
        ///
        /// If the struct is not rooted any more or belongs to another store, or a field is not of its
        /// Rust type.
        fn load(
            &self,
            __store: impl ::hostref::AsContextMut,
        ) -> ::hostref::Result<Circle> {
            ::hostref::__private::load_struct(self.0, __store)
        }
        /**
The same struct as one of its supertype.*/
        fn shape(
            &self,
            __store: impl ::hostref::AsContext,
        ) -> ::hostref::Result<<Shape as ::hostref::__private::ByHandle>::Handle> {
            ::hostref::__private::base::<Shape>(self.0, __store)
        }
        ///The field `type`.
        ///
        /// # Errors
        ///
        /// If the struct is not rooted any more or belongs to another store, or the field is not of its Rust
        /// type.
        fn r#type(
            &self,
            __store: impl ::hostref::AsContextMut,
        ) -> ::hostref::Result<Option<CircleRef>> {
            ::hostref::__private::field(
                ::hostref::__private::PartProbe::<Option<CircleRef>>::NEW.look(),
                self.0,
                __store,
                <Shape as ::hostref::__private::GcFields>::LEN + 0usize,
                "type",
            )
        }
        ///Changes the field `type`.
        ///
        /// # Errors
        ///
        /// If the struct or the value is not rooted any more or belongs to another store.
        fn set_type(
            &self,
            __store: impl ::hostref::AsContextMut,
            __value: Option<CircleRef>,
        ) -> ::hostref::Result<()> {
            ::hostref::__private::set_field(
                ::hostref::__private::PartProbe::<Option<CircleRef>>::NEW.look(),
                self.0,
                __store,
                <Shape as ::hostref::__private::GcFields>::LEN + 0usize,
                "type",
                __value,
            )
        }
    }
};
