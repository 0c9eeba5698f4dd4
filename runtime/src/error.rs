//! The error type of the whole crate, and [`Context`] for it. It is [`anyhow`]'s, as are the macros
//! [`bail!`](crate::bail), [`ensure!`](crate::ensure) and [`format_err!`](crate::format_err).
//!
//! ```
//! use hostref::error::Context;
//! use hostref::{Engine, Module, Result, ensure};
//!
//! fn load(engine: &Engine, wat: &str) -> Result<Module> {
//!     ensure!(!wat.is_empty(), "there is no plug-in");
//!     Module::new(engine, wat).context("the plug-in does not compile")
//! }
//!
//! let engine = Engine::default();
//! assert!(load(&engine, "(module)").is_ok());
//! assert_eq!(load(&engine, "").unwrap_err().to_string(), "there is no plug-in");
//! let error = load(&engine, "(module").unwrap_err();
//! assert_eq!(error.to_string(), "the plug-in does not compile");
//! ```

/// Adds context to errors: [`anyhow::Context`]. And [`anyhow::Ok`], at the end of closures whose error
/// type nothing else names.
pub use anyhow::{Context, Ok};

/// An error: [`anyhow::Error`], so that typed causes ([`Trap`](crate::Trap), a host function's own
/// error, ..) come back by `downcast_ref`.
pub type Error = anyhow::Error;

/// The result of fallible operations; [`anyhow::Result`].
pub type Result<T, E = Error> = std::result::Result<T, E>;
