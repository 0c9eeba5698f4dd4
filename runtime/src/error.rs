//! The error type of the whole crate.

/// An error: [`anyhow::Error`], so that typed causes ([`Trap`](crate::Trap), a host function's own
/// error, ..) come back by `downcast_ref`.
pub type Error = anyhow::Error;

/// The result of fallible operations; [`anyhow::Result`].
pub type Result<T, E = Error> = std::result::Result<T, E>;
