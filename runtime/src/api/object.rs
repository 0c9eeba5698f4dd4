//! `HostObject`: what a type says of itself when it derives it.

use std::any::Any;

use crate::gc::ObjectKind;

/// A type of host objects with a name and properties. Every `Send + Sync + 'static` type can be a host
/// object; this trait is for what goes beyond. Implement it with
/// [`#[derive(HostObject)]`](macro@crate::HostObject).
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no properties of a host object",
    label = "does not derive `HostObject`",
    note = "write `#[derive(HostObject)]` on the type, or make a plain object with `ExternRef::new_typed`"
)]
pub trait HostObject: Any + Send + Sync + Sized {
    /// What messages call the type.
    const NAME: &'static str;

    /// Whether its objects are never borrowed mutably.
    const FROZEN: bool;

    /// Whether they are, as a type.
    #[doc(hidden)]
    type Mutability;

    #[doc(hidden)]
    const KIND: &'static ObjectKind;

    /// How many bytes the value owns outside of itself.
    fn external_bytes(&self) -> usize;
}
