//! What can go wrong with a reference, as data. Text is made only when somebody prints it.

use std::any::type_name;
use std::fmt;

use crate::error::Error;
use crate::gc::{self, BorrowError, GcStore, HostRefError};

/// The GC heap is full, or host objects own all the memory they may.
///
/// It carries the value that [`ExternRef::new`](crate::ExternRef::new) was to wrap, for another
/// attempt after a collection. For objects that wrap nothing, `T` is `()`.
///
/// ```
/// use hostref::{Config, Engine, ExternRef, GcHeapOutOfMemory, Result, Store};
///
/// # fn main() -> Result<()> {
/// let engine = Engine::new(Config::new().gc_heap_limit(0))?;
/// let mut store = Store::new(&engine, ());
/// let error = ExternRef::new(&mut store, "value").unwrap_err();
/// assert!(error.is::<GcHeapOutOfMemory<&str>>());
/// let value = error.downcast::<GcHeapOutOfMemory<&str>>()?.into_inner();
/// assert_eq!(value, "value");
/// # Ok(())
/// # }
/// ```
pub struct GcHeapOutOfMemory<T> {
    inner: T,
}

impl<T> GcHeapOutOfMemory<T> {
    pub(crate) fn new(inner: T) -> GcHeapOutOfMemory<T> {
        GcHeapOutOfMemory { inner }
    }

    /// The value that found no room.
    pub fn into_inner(self) -> T {
        self.inner
    }

    /// The value that found no room, and the error without it, to be passed on.
    ///
    /// ```
    /// use hostref::{Config, Engine, ExternRef, GcHeapOutOfMemory, Result, Store};
    ///
    /// fn keep(store: &mut Store<()>, text: String, refused: &mut Vec<String>) -> Result<()> {
    ///     let Err(error) = ExternRef::new(store, text) else { return Ok(()) };
    ///     let (text, error) = error.downcast::<GcHeapOutOfMemory<String>>()?.take_inner();
    ///     refused.push(text);
    ///     Err(error.into())
    /// }
    ///
    /// # fn main() -> Result<()> {
    /// let engine = Engine::new(Config::new().gc_heap_limit(0))?;
    /// let mut refused = Vec::new();
    /// let error = keep(&mut Store::new(&engine, ()), "value".into(), &mut refused).unwrap_err();
    /// assert!(error.is::<GcHeapOutOfMemory<()>>());
    /// assert_eq!(refused, ["value"]);
    /// # Ok(())
    /// # }
    /// ```
    pub fn take_inner(self) -> (T, GcHeapOutOfMemory<()>) {
        (self.inner, GcHeapOutOfMemory::new(()))
    }
}

impl GcHeapOutOfMemory<()> {
    /// The error of a full heap, for an object that wraps nothing.
    #[cold]
    pub(in crate::api) fn error() -> Error {
        Error::new(GcHeapOutOfMemory::new(()))
    }
}

impl<T> fmt::Debug for GcHeapOutOfMemory<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "GcHeapOutOfMemory<{}>", type_name::<T>())
    }
}

impl<T> fmt::Display for GcHeapOutOfMemory<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("GC heap out of memory")
    }
}

impl<T> std::error::Error for GcHeapOutOfMemory<T> {}

/// A reference did not lead to a host value that may be used as wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct HostAccessError {
    /// The name of the wanted type; `None` for any.
    pub(crate) expected: Option<&'static str>,
    /// The name of the object's type, when there is an object.
    pub(crate) found: Option<&'static str>,
    /// Why it may not be used.
    pub(crate) reason: HostRefError,
}

impl HostAccessError {
    /// The error of using `reference` as a host object of some type.
    #[cold]
    pub(crate) fn of(
        gc: &GcStore,
        reference: gc::GcRef,
        expected: Option<&'static str>,
        reason: HostRefError,
    ) -> HostAccessError {
        HostAccessError { expected, found: gc.host_type_name(reference).ok(), reason }
    }

    /// The same, given the bits of a reference.
    #[cold]
    pub(crate) fn at(
        gc: &GcStore,
        raw: u32,
        expected: Option<&'static str>,
        reason: HostRefError,
    ) -> HostAccessError {
        match gc::GcRef::from_raw(raw) {
            Some(reference) => HostAccessError::of(gc, reference, expected, reason),
            None => HostAccessError { expected, found: None, reason },
        }
    }
}

impl fmt::Display for HostAccessError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let expected = OfType(self.expected);
        let found = OfType(self.found);
        match self.reason {
            HostRefError::Borrow(BorrowError::Exclusive { holder }) => {
                write!(f, "the host object{found} is already mutably borrowed by {holder}")
            }
            HostRefError::Borrow(BorrowError::Shared { holder }) => {
                write!(f, "the host object{found} is already borrowed by {holder}")
            }
            HostRefError::Borrow(BorrowError::Frozen) => {
                write!(f, "the host object{found} is frozen and cannot be borrowed mutably")
            }
            HostRefError::Borrow(BorrowError::Taken { holder }) => {
                write!(f, "the host object{found} was already taken by {holder}")
            }
            other => write!(f, "expected a host object{expected}, found {}", other.found()),
        }
    }
}

impl std::error::Error for HostAccessError {}

/// Prints ` of type ..` if the type is known.
struct OfType(Option<&'static str>);

impl fmt::Display for OfType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.map_or(Ok(()), |name| write!(f, " of type `{name}`"))
    }
}

/// A root was used after its end.
#[cold]
pub(super) fn unrooted() -> Error {
    Error::msg("a reference was used after it had been unrooted")
}

/// A root was used with a store that did not make it.
#[cold]
pub(super) fn wrong_store() -> Error {
    Error::msg("a reference was used with another store than its own")
}
