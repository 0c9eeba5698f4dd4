//! Parts of the calling instance's memory as arguments: borrowed text and slices, copies of them, and
//! typed addresses.
//!
//! Invariant: a borrowed range was checked to lie within the memory, and while it is borrowed no guest
//! runs and nobody has the store: a method with such an argument has no `cx`, and its `self` is a host
//! object or the store's data, neither of which contains a memory.

use std::fmt;
use std::marker::PhantomData;
use std::ops::Deref;
use std::ptr::NonNull;

use anyhow::{Context as _, anyhow};

use super::call::{Arg, CallContext, Conversion, Refusal, markers, taken};
use crate::api::convert::Abi;
use crate::api::engine::Engine;
use crate::api::func::shim::CallingCtx;
use crate::api::memory::Memory;
use crate::api::store::{AsContext, AsContextMut};
use crate::api::types::ValType;
use crate::error::{Error, Result};
use crate::gc::BorrowSite;
use crate::instance::store::StoreInner;

/// The type of addresses in a memory: `i32`, or `i64` for a 64-bit memory.
#[doc(hidden)]
pub trait Width: Abi {
    /// Whether it is `i64`.
    const IS_64: bool;
    /// Its Wasm type.
    const TYPE: ValType;

    /// The address or length that a guest passed.
    fn extend(self) -> u64;
}

impl Width for i32 {
    const IS_64: bool = false;
    const TYPE: ValType = ValType::I32;

    #[inline]
    fn extend(self) -> u64 {
        u64::from(self as u32)
    }
}

impl Width for i64 {
    const IS_64: bool = true;
    const TYPE: ValType = ValType::I64;

    #[inline]
    fn extend(self) -> u64 {
        self as u64
    }
}

/// The memory of the calling instance, for the time of one call's conversions.
#[doc(hidden)]
#[derive(Clone, Copy, Debug)]
pub struct CallMemory {
    base: NonNull<u8>,
    len: u64,
    /// The position in the store.
    index: usize,
    shared: bool,
}

/// A part of a memory, as offsets in bytes.
#[doc(hidden)]
#[derive(Clone, Copy, Debug, Default)]
pub struct MemoryRange {
    start: u64,
    end: u64,
}

impl MemoryRange {
    fn overlaps(self, other: MemoryRange) -> bool {
        self.start.max(other.start) < self.end.min(other.end)
    }
}

/// The memory that the calling instance exports as `name`.
#[inline]
pub(super) fn find<W: Width>(
    store: &StoreInner,
    ctx: CallingCtx,
    name: &str,
) -> Result<CallMemory> {
    let Some(instance) = ctx.instance() else { return Err(no_instance(name)) };
    let instance = &store.instances[instance];
    let Some(index) = instance.module.exported_memory(name) else { return Err(no_memory(name)) };
    let index = instance.memories[index.index()];
    let memory = &store.memories[index];
    if memory.ty.is_64 != W::IS_64 {
        return Err(other_width(name, W::IS_64));
    }
    let (base, len) = (memory.base(), memory.len() as u64);
    Ok(CallMemory { base, len, index, shared: memory.ty.shared })
}

#[cold]
fn no_instance(name: &str) -> Error {
    anyhow!(
        "there is no calling instance, and so no memory `{name}`: the embedder called this itself"
    )
}

#[cold]
fn no_memory(name: &str) -> Error {
    anyhow!("the calling instance exports no memory `{name}`")
}

#[cold]
fn other_width(name: &str, is_64: bool) -> Error {
    let (expected, found) = if is_64 { (64, 32) } else { (32, 64) };
    anyhow!("expected a {expected}-bit memory, found the {found}-bit memory `{name}`")
}

/// Whether a range that is written overlaps another one.
pub(super) fn check_overlaps(
    ranges: &[(bool, MemoryRange)],
    sites: &'static [BorrowSite],
) -> Result<()> {
    for (at, (writes, range)) in ranges.iter().enumerate() {
        for (before, (written, other)) in ranges[..at].iter().enumerate() {
            if (*writes || *written) && range.overlaps(*other) {
                return Err(overlap(&sites[at], *range, &sites[before], *other));
            }
        }
    }
    Ok(())
}

#[cold]
fn overlap(
    site: &'static BorrowSite,
    range: MemoryRange,
    other_site: &'static BorrowSite,
    other: MemoryRange,
) -> Error {
    let (MemoryRange { start, end }, MemoryRange { start: from, end: to }) = (range, other);
    anyhow!(
        "the bytes {start:#x}..{end:#x} of the memory overlap {from:#x}..{to:#x}, which are borrowed \
         by {other_site}, and one of the two is mutable"
    )
    .context(site)
}

/// A plain number: what slices of guest memory consist of.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot lie in a guest's memory",
    label = "not a plain number",
    note = "slices of guest memory consist of `u8`, `i8`, `u16`, `i16`, `u32`, `i32`, `u64`, `i64`, `f32` \
            or `f64`; for a slice that the host owns pass an object, `&Vec<{Self}>`"
)]
pub trait GuestElement: Copy + Send + Sync + 'static + sealed::Element {}

mod sealed {
    /// Every bit pattern is a value, and the size is the alignment.
    pub trait Element {}
}

macro_rules! elements {
    ($($ty:ty)*) => {$(
        impl GuestElement for $ty {}

        impl sealed::Element for $ty {}
    )*};
}

elements!(u8 i8 u16 i16 u32 i32 u64 i64 f32 f64);

const _: () = assert!(cfg!(target_endian = "little"), "slices of numbers are borrowed as they are");

/// What a range of guest memory is seen as: `str`, or a slice of numbers.
pub trait GuestData: 'static {
    /// What it consists of.
    #[doc(hidden)]
    type Element: GuestElement;

    /// Whether the elements are such data.
    #[doc(hidden)]
    fn check(elements: &[Self::Element]) -> Result<()>;

    /// The data, which was checked.
    #[doc(hidden)]
    fn view(elements: &[Self::Element]) -> &Self;

    /// The data that copied elements are.
    #[doc(hidden)]
    fn own(elements: Vec<Self::Element>) -> Result<Box<Self>>;
}

impl<E: GuestElement> GuestData for [E] {
    type Element = E;

    #[inline]
    fn check(_: &[E]) -> Result<()> {
        Ok(())
    }

    #[inline]
    fn view(elements: &[E]) -> &[E] {
        elements
    }

    fn own(elements: Vec<E>) -> Result<Box<[E]>> {
        Ok(elements.into())
    }
}

impl GuestData for str {
    type Element = u8;

    #[inline]
    fn check(bytes: &[u8]) -> Result<()> {
        match std::str::from_utf8(bytes) {
            Ok(_) => Ok(()),
            Err(error) => Err(not_utf8(error)),
        }
    }

    #[inline]
    fn view(bytes: &[u8]) -> &str {
        // SAFETY: `check` found that the bytes are UTF-8.
        unsafe { std::str::from_utf8_unchecked(bytes) }
    }

    fn own(bytes: Vec<u8>) -> Result<Box<str>> {
        let text = String::from_utf8(bytes).map_err(|error| not_utf8(error.utf8_error()))?;
        Ok(text.into())
    }
}

#[cold]
fn not_utf8(error: std::str::Utf8Error) -> Error {
    Error::from(error).context("expected text in UTF-8")
}

/// A range of elements that lies in the memory.
#[doc(hidden)]
#[derive(Debug)]
pub struct Elements<E> {
    at: NonNull<E>,
    len: usize,
    start: u64,
}

impl<E: GuestElement> Elements<E> {
    #[inline]
    fn find<W: Width>(call: &mut Conversion<'_>, at: W, len: W) -> Result<(Self, bool), Refusal> {
        let memory = call.memory::<W>()?;
        let elements = Elements::in_memory(&memory, at.extend(), len.extend());
        Ok((elements.map_err(Refusal::other)?, memory.shared))
    }

    #[inline]
    fn in_memory(memory: &CallMemory, start: u64, len: u64) -> Result<Elements<E>> {
        let bytes = len.checked_mul(size_of::<E>() as u64);
        let end = bytes.and_then(|bytes| start.checked_add(bytes));
        if end.is_none_or(|end| end > memory.len) {
            return Err(out_of_bounds::<E>(start, len, memory.len));
        }
        if !start.is_multiple_of(align_of::<E>() as u64) {
            return Err(misaligned::<E>(start));
        }
        // Inside the memory offsets are `usize`s, and a wrapping sum is none: `start` is in bounds.
        let at = memory.base.as_ptr().wrapping_add(start as usize).cast::<E>();
        let at = NonNull::new(at).expect("a memory does not lie at address 0");
        Ok(Elements { at, len: len as usize, start })
    }

    fn range(&self) -> MemoryRange {
        MemoryRange { start: self.start, end: self.start + (self.len * size_of::<E>()) as u64 }
    }

    /// The elements.
    ///
    /// # Safety
    ///
    /// For `'g` no guest runs, the store is not used, and nobody writes to the range.
    #[inline]
    unsafe fn slice<'g>(&self) -> &'g [E] {
        // SAFETY: the range lies in the memory, aligned for `E`, of which every bit pattern is a
        // value; the caller keeps others from writing to it.
        unsafe { std::slice::from_raw_parts(self.at.as_ptr(), self.len) }
    }

    /// A copy of the elements. In a shared memory others may write them meanwhile: then it is a
    /// mixture.
    fn to_vec(&self) -> Vec<E> {
        let mut copy = Vec::with_capacity(self.len);
        // SAFETY: the range lies in the memory, aligned for `E`, of which every bit pattern is a value,
        // and the vector has room for as many elements.
        unsafe {
            self.at.as_ptr().copy_to_nonoverlapping(copy.as_mut_ptr(), self.len);
            copy.set_len(self.len);
        }
        copy
    }

    /// The elements, for writing.
    ///
    /// # Safety
    ///
    /// For `'g` no guest runs, the store is not used, and nobody else uses the range.
    #[inline]
    unsafe fn slice_mut<'g>(&mut self) -> &'g mut [E] {
        // SAFETY: as in `slice`, and the caller keeps others from the range.
        unsafe { std::slice::from_raw_parts_mut(self.at.as_ptr(), self.len) }
    }
}

#[cold]
fn out_of_bounds<E>(start: u64, len: u64, memory: u64) -> Error {
    let element = std::any::type_name::<E>();
    anyhow!("out of bounds: {len} `{element}` at {start:#x} in a memory of {memory:#x} bytes")
}

#[cold]
fn misaligned<E>(start: u64) -> Error {
    let (element, align) = (std::any::type_name::<E>(), align_of::<E>());
    anyhow!("misaligned: a `{element}` lies at a multiple of {align}, and {start:#x} is none")
}

#[cold]
fn shared_memory() -> Refusal {
    Refusal::other(anyhow!(
        "a shared memory cannot be borrowed, for other threads may write to it; take `Copied<..>`"
    ))
}

markers! {
    /// `&str` or `&[E]`.
    Slice<T: ?Sized>;
    /// `&mut [E]`.
    SliceMut<T>;
    /// `Copied<T>`.
    CopiedArg<T: ?Sized>;
    /// `Ptr<E>`.
    Address<T>;
}

impl<D: 'static, T: ?Sized + GuestData> Arg<D> for Slice<T> {
    const MARKER: Self = Slice(PhantomData);
    type First<W: Width> = W;
    type Second<W: Width> = W;
    const SCOPE: bool = false;
    const MEMORY: bool = true;
    type Found = Elements<T::Element>;
    type Held = Elements<T::Element>;
    type Out<'g> = &'g T;

    fn wasm_types<W: Width>(_: &Engine, types: &mut Vec<ValType>) {
        types.extend([W::TYPE, W::TYPE]);
    }

    #[inline]
    fn find<W: Width>(
        call: &mut Conversion<'_>,
        (at, len): (W, W),
    ) -> Result<Elements<T::Element>, Refusal> {
        let (elements, shared) = Elements::find(call, at, len)?;
        if shared {
            return Err(shared_memory());
        }
        // SAFETY: nothing runs while the text is checked.
        T::check(unsafe { elements.slice() }).map_err(Refusal::other)?;
        Ok(elements)
    }

    #[inline]
    fn range(found: &Self::Found) -> MemoryRange {
        found.range()
    }

    #[inline]
    unsafe fn hold(found: Self::Found, _: &'static BorrowSite) -> Result<Self::Held, Refusal> {
        Ok(found)
    }

    #[inline]
    fn out<'g>(held: &'g mut Self::Held, _: &mut CallContext<'g, D>) -> &'g T {
        // SAFETY: for `'g` the method runs, which has no `cx`; ranges that are written do not overlap
        // this one.
        T::view(unsafe { held.slice() })
    }
}

impl<D: 'static, E: GuestElement> Arg<D> for SliceMut<E> {
    const MARKER: Self = SliceMut(PhantomData);
    type First<W: Width> = W;
    type Second<W: Width> = W;
    const SCOPE: bool = false;
    const MEMORY: bool = true;
    const WRITES: bool = true;
    type Found = Elements<E>;
    type Held = Elements<E>;
    type Out<'g> = &'g mut [E];

    fn wasm_types<W: Width>(_: &Engine, types: &mut Vec<ValType>) {
        types.extend([W::TYPE, W::TYPE]);
    }

    #[inline]
    fn find<W: Width>(
        call: &mut Conversion<'_>,
        (at, len): (W, W),
    ) -> Result<Elements<E>, Refusal> {
        match Elements::find(call, at, len)? {
            (elements, false) => Ok(elements),
            _ => Err(shared_memory()),
        }
    }

    #[inline]
    fn range(found: &Elements<E>) -> MemoryRange {
        found.range()
    }

    #[inline]
    unsafe fn hold(found: Elements<E>, _: &'static BorrowSite) -> Result<Elements<E>, Refusal> {
        Ok(found)
    }

    #[inline]
    fn out<'g>(held: &'g mut Elements<E>, _: &mut CallContext<'g, D>) -> &'g mut [E] {
        // SAFETY: for `'g` the method runs, which has no `cx`; no other range overlaps this one.
        unsafe { held.slice_mut() }
    }
}

/// Text or numbers copied out of the guest's memory.
///
/// As a parameter of a [`#[host_module]`](crate::host_module) function it is what `&str` and `&[E]`
/// are, an address and a length, but for functions that use the store while they have it, and for
/// shared memories.
///
/// ```
/// use hostref::{Caller, Copied, Engine, Linker, Module, Result, Store, host_module};
///
/// struct Log;
///
/// #[host_module(state = Vec<String>)]
/// impl Log {
///     fn line(cx: &mut Caller<'_, Vec<String>>, text: Copied<str>) {
///         cx.data_mut().push(text.to_uppercase());
///     }
/// }
///
/// # fn main() -> Result<()> {
/// let engine = Engine::default();
/// let module = Module::new(&engine, r#"
///     (module
///         (import "log" "line" (func $line (param i32 i32)))
///         (memory (export "memory") 1)
///         (data (i32.const 8) "hello")
///         (func (export "run") (call $line (i32.const 8) (i32.const 5))))
/// "#)?;
/// let mut linker = Linker::new(&engine);
/// Log::add_to_linker(&mut linker)?;
/// let mut store = Store::new(&engine, Vec::new());
/// let instance = linker.instantiate(&mut store, &module)?;
/// instance.get_typed_func::<(), ()>(&mut store, "run")?.call(&mut store, ())?;
/// assert_eq!(store.data(), &["HELLO"]);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Copied<T: ?Sized>(Box<T>);

impl<T: ?Sized> Copied<T> {
    /// The copy itself.
    pub fn into_inner(self) -> Box<T> {
        self.0
    }
}

impl<T: ?Sized> Deref for Copied<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for Copied<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<D: 'static, T: ?Sized + GuestData> Arg<D> for CopiedArg<T> {
    const MARKER: Self = CopiedArg(PhantomData);
    type First<W: Width> = W;
    type Second<W: Width> = W;
    const SCOPE: bool = false;
    const MEMORY: bool = true;
    type Found = Copied<T>;
    type Held = Option<Copied<T>>;
    type Out<'g> = Copied<T>;

    fn wasm_types<W: Width>(_: &Engine, types: &mut Vec<ValType>) {
        types.extend([W::TYPE, W::TYPE]);
    }

    fn find<W: Width>(call: &mut Conversion<'_>, (at, len): (W, W)) -> Result<Copied<T>, Refusal> {
        let (elements, _) = Elements::<T::Element>::find(call, at, len)?;
        T::own(elements.to_vec()).map(Copied).map_err(Refusal::other)
    }

    unsafe fn hold(found: Copied<T>, _: &'static BorrowSite) -> Result<Self::Held, Refusal> {
        Ok(Some(found))
    }

    fn out<'g>(held: &'g mut Self::Held, _: &mut CallContext<'g, D>) -> Copied<T> {
        taken(held)
    }
}

/// The address of a number in the guest's memory: an out-pointer.
///
/// As a parameter of a [`#[host_module]`](crate::host_module) function it takes any address; reading
/// and writing check it.
///
/// ```
/// use hostref::{Caller, Engine, Linker, Module, Ptr, Result, Store, host_module};
///
/// struct Math;
///
/// #[host_module(name = "math", state = ())]
/// impl Math {
///     fn divide(cx: &mut Caller<'_, ()>, a: i32, b: i32, remainder: Ptr<i32>) -> Result<i32> {
///         remainder.write(cx, a % b)?;
///         Ok(a / b)
///     }
/// }
///
/// # fn main() -> Result<()> {
/// let engine = Engine::default();
/// let module = Module::new(&engine, r#"
///     (module
///         (import "math" "divide" (func $divide (param i32 i32 i32) (result i32)))
///         (memory (export "memory") 1)
///         (func (export "run") (result i32)
///             (drop (call $divide (i32.const 17) (i32.const 5) (i32.const 64)))
///             (i32.load (i32.const 64))))
/// "#)?;
/// let mut linker = Linker::new(&engine);
/// Math::add_to_linker(&mut linker)?;
/// let mut store = Store::new(&engine, ());
/// let instance = linker.instantiate(&mut store, &module)?;
/// let run = instance.get_typed_func::<(), i32>(&mut store, "run")?;
/// assert_eq!(run.call(&mut store, ())?, 2);
/// # Ok(())
/// # }
/// ```
pub struct Ptr<E> {
    memory: Memory,
    address: u64,
    _element: PhantomData<fn() -> E>,
}

impl<E: GuestElement> Ptr<E> {
    /// The address in bytes.
    pub fn address(&self) -> u64 {
        self.address
    }

    /// Reads the number.
    ///
    /// # Errors
    ///
    /// If the number does not lie in the memory, or the address is not a multiple of its size, or the
    /// store is another one.
    pub fn read(&self, cx: impl AsContext) -> Result<E> {
        let store = cx.as_context();
        let element = Elements::<E>::in_memory(&self.call_memory(store.inner())?, self.address, 1)?;
        // SAFETY: the place lies in the memory, aligned for `E`, of which every bit pattern is a value.
        // Nobody writes to it unless the memory is shared; what is read then is a mixture.
        Ok(unsafe { element.at.as_ptr().read_volatile() })
    }

    /// Writes the number.
    ///
    /// # Errors
    ///
    /// As [`read`](Ptr::read).
    pub fn write(&self, mut cx: impl AsContextMut, value: E) -> Result<()> {
        let store = cx.as_context_mut();
        let memory = self.call_memory(store.inner())?;
        let element = Elements::<E>::in_memory(&memory, self.address, 1)?;
        // SAFETY: the place lies in the memory, aligned for `E`. The store is borrowed exclusively, so
        // nobody else uses it unless the memory is shared; what others read then is a mixture.
        unsafe { element.at.as_ptr().write_volatile(value) };
        Ok(())
    }

    fn call_memory(&self, store: &StoreInner) -> Result<CallMemory> {
        let index = self.memory.position(store).context("the memory belongs to another store")?;
        let memory = &store.memories[index];
        let (base, len, shared) = (memory.base(), memory.len() as u64, memory.ty.shared);
        Ok(CallMemory { base, len, index, shared })
    }
}

impl<E> Clone for Ptr<E> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<E> Copy for Ptr<E> {}

impl<E> fmt::Debug for Ptr<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Ptr({:#x})", self.address)
    }
}

impl<D: 'static, E: GuestElement> Arg<D> for Address<E> {
    const MARKER: Self = Address(PhantomData);
    type First<W: Width> = W;
    type Second<W: Width> = ();
    const SCOPE: bool = false;
    const MEMORY: bool = true;
    type Found = Ptr<E>;
    type Held = Ptr<E>;
    type Out<'g> = Ptr<E>;

    fn wasm_types<W: Width>(_: &Engine, types: &mut Vec<ValType>) {
        types.push(W::TYPE);
    }

    #[inline]
    fn find<W: Width>(call: &mut Conversion<'_>, (at, ()): (W, ())) -> Result<Ptr<E>, Refusal> {
        let index = call.memory::<W>()?.index;
        let memory = Memory::from_position(call.store, index);
        Ok(Ptr { memory, address: at.extend(), _element: PhantomData })
    }

    #[inline]
    unsafe fn hold(found: Ptr<E>, _: &'static BorrowSite) -> Result<Ptr<E>, Refusal> {
        Ok(found)
    }

    #[inline]
    fn out<'g>(held: &'g mut Ptr<E>, _: &mut CallContext<'g, D>) -> Ptr<E> {
        *held
    }
}
