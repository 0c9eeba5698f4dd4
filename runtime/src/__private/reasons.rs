//! What is said about types of parameters and results: the texts alone. Which types they are said of is
//! in `probe.rs`.

use std::marker::PhantomData;

/// Implements none of the traits below. Has a lifetime, for rustc looks at bounds without parameters
/// where they are written, not where they are used.
#[derive(Debug)]
pub struct Reason<'a>(PhantomData<&'a ()>);

/// Implements the traits below, and stands nowhere.
#[derive(Debug)]
pub struct NoReason;

/// Declares reasons about a type `P`, where `T` is what else the text must name.
macro_rules! reasons {
    ($(#[$text:meta] $name:ident;)*) => {$(
        /// Holds for nothing.
        #[$text]
        pub trait $name<T: ?Sized, P: ?Sized> {}

        // Without any implementation rustc would suggest to write one.
        #[diagnostic::do_not_recommend]
        impl<T: ?Sized, P: ?Sized> $name<T, P> for NoReason {}
    )*};
}

// Borrows that would be objects.
reasons! {
    #[diagnostic::on_unimplemented(
        message = "`&Option<T>` would be an object that is an `Option`",
        label = "write `Option<&{T}>`",
        note = "`Option<&T>` and `Option<&mut T>` are references that may be null"
    )]
    OptionInside;

    #[diagnostic::on_unimplemented(
        message = "`&mut Option<T>` would be an object that is an `Option`",
        label = "write `Option<&mut {T}>`",
        note = "`Option<&T>` and `Option<&mut T>` are references that may be null"
    )]
    OptionInsideMut;

    #[diagnostic::on_unimplemented(
        message = "`&&T` would be an object that is a reference",
        label = "write `&{T}`",
        note = "a guest's reference leads to the object itself"
    )]
    ReferenceInside;

    #[diagnostic::on_unimplemented(
        message = "a reference to `{T}` would be an object that is a `{T}`",
        label = "write `{T}`, or `Ptr<{T}>` for an address in the guest's memory",
        note = "`Ptr<E>` is an out-pointer: `ptr.write(cx, value)?`; several numbers in the guest's memory are \
                `&[E]` and `&mut [E]`",
        note = "to give numbers back, return them: a host function may return a tuple"
    )]
    NumberInside;

    #[diagnostic::on_unimplemented(
        message = "a reference to `{T}` would be an object that is a `{T}`",
        label = "write `&[E]` or `&mut [E]` for numbers in the guest's memory",
        note = "the guest passes the length beside the address; compare it with what you expect",
        note = "to give numbers back, return them: a host function may return a tuple"
    )]
    ArrayInside;

    #[diagnostic::on_unimplemented(
        message = "a guest passes a `{T}` by value, not as `{P}`",
        label = "write `{T}`",
        note = "only objects of the host are borrowed"
    )]
    ValueInside;

    #[diagnostic::on_unimplemented(
        message = "a guest passes a root, not `{P}`",
        label = "write `{T}`",
        note = "a root keeps its object alive: `Rooted` during the call, `ManuallyRooted` as long as it exists",
        note = "`&T` borrows an object of the host at once, without a root"
    )]
    Unrooted;

    #[diagnostic::on_unimplemented(
        message = "a guest passes a handle of its struct or array, not `{P}`",
        label = "write `{T}`",
        note = "a handle reads and writes through the store: `point.x(&mut *cx)?`, and `point.load(&mut *cx)?` \
                copies the whole"
    )]
    Declared;

    #[diagnostic::on_unimplemented(
        message = "a host function gets its store as `&mut Caller<'_, T>`, not `{P}`",
        label = "write `&mut Caller<'_, {T}>`",
        note = "it is the first parameter, and its block says `#[host_module(state = {T})]`"
    )]
    StoreInside;

    #[diagnostic::on_unimplemented(
        message = "a host function borrows its context mutably",
        label = "write `{T}`",
        note = "it is the first parameter"
    )]
    ContextShared;

    #[diagnostic::on_unimplemented(
        message = "`{P}` is no parameter: each has one type of Wasm",
        label = "write the type that the guest passes",
        note = "as `i32`, `f64`, `Rooted<ExternRef>` or `Rooted<AnyRef>`; for functions of a type that is known \
                at run time use `Linker::func_new`"
    )]
    AnyValue;

    #[diagnostic::on_unimplemented(
        message = "`{P}` makes an object, and is for results",
        label = "write `&{T}`",
        note = "`&T` borrows an object of the host that the guest has got before, `Take<T>` moves it out"
    )]
    NewInside;
}

// Types that are refused.
reasons! {
    #[diagnostic::on_unimplemented(
        message = "a number is never null",
        label = "write `{T}`",
        note = "let one number stand for none, or pass a `bool` beside it; only references may be null"
    )]
    NumberNeverNull;

    #[diagnostic::on_unimplemented(
        message = "an address and a length are never null",
        label = "write `{T}`",
        note = "let nothing be empty, or take a `bool` beside it; only references may be null"
    )]
    MemoryNeverNull;

    #[diagnostic::on_unimplemented(
        message = "`{P}` would be an object of the host, but `{T}` is none",
        label = "`{T}` is not `Send + Sync`",
        note = "a store may move to another thread, with its objects: use atomics or a `Mutex` in place of \
                `Cell` and `RefCell`, and `Arc` in place of `Rc`; or take `&mut T` to change a plain field"
    )]
    NotSendSync;

    #[diagnostic::on_unimplemented(
        message = "`{P}` cannot lead to an object of the host",
        label = "a guest cannot pass this",
        note = "an object can be a `&dyn Trait` of a trait with `#[host_trait]`, but not a `&mut dyn Trait`: \
                methods that change something take `&self` there",
        note = "text and numbers in the guest's memory are `&str`, `&[u8]`, `&mut [f32]` and the like"
    )]
    NotUnsized;

    #[diagnostic::on_unimplemented(
        message = "`{T}` is no kind of reference",
        label = "write `&{T}`, or `Rooted<ExternRef<{T}>>`",
        note = "what is rooted is a reference: `ExternRef<T>` to an object of the host, `AnyRef`, `StructRef` or \
                `ArrayRef` to one of the guest"
    )]
    NoReference;

    #[diagnostic::on_unimplemented(
        message = "a guest cannot pass `{P}`",
        label = "`{T}` leads to nothing",
        note = "`T` in `ExternRef<T>` is a type of objects, `Send + Sync + 'static`, or `dyn Trait` of a trait with \
                `#[host_trait]`"
    )]
    NoTarget;

    #[diagnostic::on_unimplemented(
        message = "a guest passes a reference to an object, which nobody owns but the store",
        label = "write `&{T}`",
        note = "`Take<T>` moves an object out of the store, to own it; an object that is itself a `{P}` is a `&{P}`",
        note = "a function of the guest is a `TypedFunc<P, R>`"
    )]
    OwnerInside;

    #[diagnostic::on_unimplemented(
        message = "a guest cannot pass `{T}` by itself",
        label = "write `&{T}` for a host object",
        note = "text and bytes in the guest's memory are `&str` and `&[u8]`, or `Copied<str>` and `Copied<[u8]>` \
                to keep them; an object of the host is `&{T}`, or `Take<{T}>` to own it"
    )]
    OwnedText;

    #[diagnostic::on_unimplemented(
        message = "text in a guest's memory cannot be changed in place",
        label = "write `&mut [u8]`, or `&str` to read it",
        note = "UTF-8 would have to be checked again after the method"
    )]
    TextMut;

    #[diagnostic::on_unimplemented(
        message = "`{T}`s cannot lie in a guest's memory",
        label = "the elements must be numbers",
        note = "`u8`, `i8` to `u64`, `i64`, `f32` and `f64`; a `bool` or `char` there is a `u8` or `u32`",
        note = "objects are passed one by one as `&T`, or together as one object of the host or in an array with \
                `#[derive(GcArray)]`"
    )]
    ElementOther;

    #[diagnostic::on_unimplemented(
        message = "a guest cannot pass `{P}` by itself",
        label = "write `&[{T}]` for numbers in the guest's memory",
        note = "the guest passes the length beside the address; or take a parameter for each"
    )]
    ArrayByItself;

    #[diagnostic::on_unimplemented(
        message = "a parameter is one value, and a tuple is several",
        label = "write a parameter for each",
        note = "results may be tuples"
    )]
    SeveralValues;

    #[diagnostic::on_unimplemented(
        message = "a guest passes no errors",
        label = "write `{T}`",
        note = "results may be a `Result`"
    )]
    ResultInside;

    #[diagnostic::on_unimplemented(
        message = "a guest passes functions of Wasm, not `{P}`",
        label = "write `{T}`",
        note = "it is called through the store: `function.call(&mut *cx, (1,))?`; `Option<TypedFunc<P, R>>` may be null"
    )]
    FunctionPointer;

    #[diagnostic::on_unimplemented(
        message = "`{P}` is no function of a guest",
        label = "what it takes and returns must be values of Wasm",
        note = "as `TypedFunc<(i32, Rooted<ExternRef<T>>), i64>`: numbers, `Rooted` references, types with \
                `#[derive(WasmTy)]`; results may be a tuple or `()`"
    )]
    FunctionOfOther;

    #[diagnostic::on_unimplemented(
        message = "`{T}` is no type of Wasm",
        label = "write `u32` or `u64`",
        note = "the host's `usize` is not the guest's: an address or a size of a 32-bit guest is a `u32`; \
                and integers have at most 64 bits"
    )]
    OtherInteger;

    #[diagnostic::on_unimplemented(
        message = "a guest cannot pass `{P}`",
        label = "write `Option<&{T}>` for an object",
        note = "`Option<&T>`, `Option<&mut T>`, `Option<Take<T>>` and `Option`s of `Rooted` and other handles are \
                references that may be null",
        note = "text and numbers in the guest's memory, as `&str` and `&[u8]`, are never null"
    )]
    OptionOf;
}

// Fields and elements.
reasons! {
    #[diagnostic::on_unimplemented(
        message = "`{T}` cannot be a field of a struct or an element of an array",
        label = "write `Rooted<ExternRef<{T}>>` for an object of the host",
        note = "numbers of up to 64 bits, `V128`, `bool`, `char`, types with `#[derive(WasmTy)]`, handles of \
                types with `#[derive(GcStruct)]` or `#[derive(GcArray)]`, `Rooted<..>`, `I31`, `Func`, \
                `TypedFunc`, and `Option`s of references can"
    )]
    NotStored;

    #[diagnostic::on_unimplemented(
        message = "`{T}` cannot be packed",
        label = "remove `packed`",
        note = "`#[gc(packed)]` is for `bool` and for enums with `#[derive(WasmTy)]` and a representation of 8 or \
                16 bits; `i8`, `u8`, `i16` and `u16` are stored in 8 or 16 bits anyway"
    )]
    NotPacked;

    #[diagnostic::on_unimplemented(
        message = "a guest's object refers to another struct or array, and does not contain it",
        label = "write `{T}`",
        note = "a field or an element is a number or a reference; a handle is a reference to a struct or an array"
    )]
    StoredByHandle;

    #[diagnostic::on_unimplemented(
        message = "`{P}` cannot be a field of a struct or an element of an array",
        label = "write `{T}`",
        note = "what is read from an object is rooted in the current scope"
    )]
    StoredRoot;

    #[diagnostic::on_unimplemented(
        message = "`{T}` is no kind of reference",
        label = "write `Rooted<ExternRef<{T}>>` for an object of the host",
        note = "a guest's struct or array is `Rooted<AnyRef>`, or the handle that `#[derive(GcStruct)]` or \
                `#[derive(GcArray)]` makes"
    )]
    RootInObject;

    #[diagnostic::on_unimplemented(
        message = "an array is an object of its own",
        label = "write the handle of a type with `#[derive(GcArray)]`",
        note = "as `#[derive(GcArray)] struct Items(Vec<{T}>);`, whose handle is `ItemsRef`"
    )]
    ArrayInObject;

    #[diagnostic::on_unimplemented(
        message = "a field or an element is one value, and a tuple is several",
        label = "write a field for each",
        note = "or the handle of another struct with `#[derive(GcStruct)]`"
    )]
    SeveralParts;

    #[diagnostic::on_unimplemented(
        message = "`{P}` cannot be a field of a struct or an element of an array",
        label = "write `Option<Rooted<ExternRef<{T}>>>` for an object of the host",
        note = "`Option`s of references may be null: `Option<Rooted<..>>`, `Option<Func>`, `Option<I31>`, and those of \
                handles"
    )]
    StoredOption;
}

// Results.
reasons! {
    #[diagnostic::on_unimplemented(
        message = "a guest cannot be given `{T}` by itself",
        label = "write `New<{T}>` for a new object",
        note = "text and bytes go into the guest's memory: take `&mut [u8]` or `Ptr<E>`, and return how much \
                was written"
    )]
    OwnedTextResult;

    #[diagnostic::on_unimplemented(
        message = "a guest is given a handle of its struct or array, not `{P}`",
        label = "write `{T}`",
        note = "`PointRef::new(cx, point)?` makes one, with `cx: &mut Caller<'_, T>`"
    )]
    DeclaredResult;

    #[diagnostic::on_unimplemented(
        message = "a guest is given a root, not `{P}`",
        label = "write `{T}`",
        note = "every way to get a reference gives a root: `ExternRef::new`, a field of a struct, a result of a call"
    )]
    UnrootedResult;

    #[diagnostic::on_unimplemented(
        message = "`{T}` is no kind of reference",
        label = "write `Rooted<ExternRef<{T}>>`, or `New<{T}>` for a new object",
        note = "what is rooted is a reference: `ExternRef<T>` to an object of the host, `T` being `Send + Sync + \
                'static` or `dyn Trait` with `#[host_trait]`; `AnyRef`, `StructRef` or `ArrayRef` to one of the guest"
    )]
    NoReferenceResult;

    #[diagnostic::on_unimplemented(
        message = "a guest is given a reference to an object, which nobody owns but the store",
        label = "write `New<{T}>` for a new object",
        note = "an object that was there before is returned as the `Rooted<ExternRef<T>>` that led to it"
    )]
    OwnerResult;

    #[diagnostic::on_unimplemented(
        message = "a guest cannot be given `{P}` by itself",
        label = "write a tuple",
        note = "many numbers go into the guest's memory: take `&mut [E]`, and return how many were written"
    )]
    ArrayResult;

    #[diagnostic::on_unimplemented(
        message = "`{T}` is no result: each has one type of Wasm",
        label = "write the type that the guest gets",
        note = "as `i32`, `f64`, `Rooted<ExternRef>` or `Rooted<AnyRef>`; for functions of a type that is known \
                at run time use `Linker::func_new`"
    )]
    AnyValueResult;

    #[diagnostic::on_unimplemented(
        message = "a guest is given functions of its store, not `{P}`",
        label = "write `Func`",
        note = "`Func::wrap(cx, |n: i32| n + 1)` makes one"
    )]
    FunctionResult;

    #[diagnostic::on_unimplemented(
        message = "a guest cannot be given all of `{T}`",
        label = "a part of this is no result by itself",
        note = "the parts are up to 16 of what a function may return alone, `Result` and tuples excepted"
    )]
    SeveralResults;

    #[diagnostic::on_unimplemented(
        message = "a guest cannot be given an `Option` of `{T}`",
        label = "write `Option<New<{T}>>` for a new object",
        note = "`None` is null: of `Option`s of `New`, `Rooted` and other handles, and of types with \
                `#[derive(HostObject)]`"
    )]
    NullableObject;

    #[diagnostic::on_unimplemented(
        message = "`{T}` cannot be the result of a host function",
        label = "write `Result<New<{T}>, _>` for a new object",
        note = "an error stops the guest and comes back to the embedder; what is `Ok` must be a result by itself"
    )]
    FallibleObject;

    #[diagnostic::on_unimplemented(
        message = "`{T}` cannot be the result of a host function",
        label = "write `New<{T}>` for a new object",
        note = "a host function returns nothing, a number of up to 64 bits, `bool`, `char`, a type with \
                `#[derive(WasmTy)]`, `Rooted<ExternRef<T>>`, `New<T>` for a new object, a type with \
                `#[derive(HostObject)]`, the handle of one with `#[derive(GcStruct)]` or \
                `#[derive(GcArray)]`, `Option`s of references and `New`, a tuple of up to 16 of these, or a \
                `Result` of any of these"
    )]
    OtherResult;
}

/// The objects of a type are never borrowed mutably.
#[derive(Debug)]
pub struct Frozen;

/// The objects of a type may be borrowed mutably.
#[derive(Debug)]
pub struct Thawed;

/// Holds for objects that may be borrowed mutably.
#[diagnostic::on_unimplemented(
    message = "the objects of this type are frozen",
    label = "cannot be borrowed mutably: write `&`",
    note = "`#[host_object(frozen)]` on the type says that nobody changes its objects"
)]
pub trait Mutable<T: ?Sized> {}

impl<T: ?Sized> Mutable<T> for Thawed {}
