//! References to garbage-collected objects, as the embedder holds them: rooted handles and what
//! can be done with the objects behind them. Knows nothing of how the heap works.
//!
//! | file | owns |
//! |---|---|
//! | `rooted.rs` | `Rooted`, roots that end with a scope |
//! | `manually_rooted.rs` | `ManuallyRooted`, roots that end when told to |
//! | `scope.rs` | `RootScope` |
//! | `externref.rs` | `ExternRef`, references to host values |
//! | `target.rs` | what a reference of some Rust type may lead to |
//! | `guard.rs` | borrows of host values that do not borrow the store |
//! | `exnref.rs` | `ExnRef`, references to exceptions |
//! | `anyref.rs` | `AnyRef`, references to what guests make |
//! | `eqref.rs` | `EqRef`, those that can be compared |
//! | `structref.rs` | `StructRef`, references to structs |
//! | `arrayref.rs` | `ArrayRef`, references to arrays |
//! | `i31.rs` | `I31`, integers in references |
//! | `bottom.rs` | references that are always null |
//! | `hierarchy.rs` | which of them are which others, and casts of handles |
//! | `parts.rs` | fields and elements as `Val`s |
//! | `error.rs` | what can go wrong |

mod anyref;
mod arrayref;
mod bottom;
mod eqref;
mod error;
mod exnref;
pub(crate) mod externref;
#[allow(unsafe_code, reason = "borrows host values independently of the store")]
mod guard;
mod hierarchy;
mod i31;
mod manually_rooted;
pub(in crate::api) mod parts;
pub(crate) mod rooted;
mod scope;
mod structref;
pub(crate) mod target;

use std::fmt::Debug;
use std::ops::Deref;

use crate::error::Result;
use crate::gc::{self, RootIndex};
use crate::instance::store::StoreInner;

pub use anyref::AnyRef;
pub use arrayref::{AnyArray, ArrayRef, ArrayRefPre};
pub use bottom::{NoExn, NoExtern, NoFunc, NoneRef};
pub use eqref::EqRef;
pub use error::GcHeapOutOfMemory;
pub(crate) use error::HostAccessError;
pub use exnref::ExnRef;
pub use externref::{ExternRef, HostData};
pub use guard::{ObjectRef, ObjectRefMut};
pub use hierarchy::{AnyKind, ArrayKind, EqKind, StructKind};
pub use i31::{I31, I31OutOfRange};
pub use manually_rooted::{ManuallyRooted, OwnedRooted};
pub use rooted::Rooted;
pub use scope::RootScope;
pub(in crate::api) use structref::type_id;
pub use structref::{AnyStruct, StructRef, StructRefPre};

/// The kinds of garbage-collected references: [`ExternRef`] and [`StructRef`] of any type and so on.
///
/// The trait is sealed.
pub trait GcRef: sealed::GcRefImpl {}

impl<T: sealed::GcRefImpl> GcRef for T {}

/// The two kinds of roots, [`Rooted`] and [`ManuallyRooted`], for code that takes either.
///
/// ```
/// use hostref::{ExternRef, Result, RootedGcRef, Store};
///
/// fn is_text(store: &Store<()>, object: &impl RootedGcRef<ExternRef>) -> Result<bool> {
///     Ok(object.data(store)?.is::<String>())
/// }
///
/// # fn main() -> Result<()> {
/// let mut store = Store::<()>::default();
/// let rooted = ExternRef::new(&mut store, String::from("text"))?;
/// let manual = rooted.to_manually_rooted(&mut store)?;
/// assert!(is_text(&store, &rooted)? && is_text(&store, &manual)?);
/// # Ok(())
/// # }
/// ```
///
/// The trait is sealed.
pub trait RootedGcRef<T: GcRef>: sealed::Root + Deref<Target = T> {}

impl<T: GcRef, R: sealed::Root + Deref<Target = T>> RootedGcRef<T> for R {}

pub(super) mod sealed {
    //! What handles are inside. Not nameable by embedders.

    use super::{Debug, RootIndex};

    /// A typed view of the name of a root.
    pub trait GcRefImpl: Copy + Debug + 'static {
        /// The view of the root named `index`, which must lead to such a reference.
        #[doc(hidden)]
        fn from_index(index: RootIndex) -> Self;

        /// The name of the root.
        #[doc(hidden)]
        fn index(&self) -> RootIndex;
    }

    /// A handle that names a root.
    pub trait Root {
        /// The name of the root.
        #[doc(hidden)]
        fn root_index(&self) -> RootIndex;
    }
}

/// What a root leads to.
///
/// # Errors
///
/// Fails when the root has ended or belongs to another store.
#[inline]
pub(super) fn resolve(inner: &StoreInner, index: RootIndex) -> Result<gc::GcRef> {
    if index.store() != inner.id() {
        return Err(error::wrong_store());
    }
    inner.gc.rooted(index).ok_or_else(error::unrooted)
}
