//! `StoreLimits`: a limiter with fixed limits, and its builder.

use anyhow::bail;

use crate::error::{Error, Result};
use crate::instance::limiter::{DEFAULT_COUNT, ResourceLimiter};

/// A [`ResourceLimiter`] with fixed limits: none but 10,000 instances, tables and memories each, unless
/// its [builder](StoreLimitsBuilder) says otherwise.
///
/// ```
/// use hostref::{Engine, Instance, Memory, MemoryType, Result, Store, StoreLimits, StoreLimitsBuilder};
///
/// struct App {
///     limits: StoreLimits,
/// }
///
/// # fn main() -> Result<()> {
/// let limits = StoreLimitsBuilder::new().memory_size(1 << 20).memories(1).build();
/// let mut store = Store::new(&Engine::default(), App { limits });
/// store.limiter(|app| &mut app.limits);
/// let memory = Memory::new(&mut store, MemoryType::new(1, None))?;
/// assert_eq!(memory.grow(&mut store, 15)?, 1);
/// assert!(memory.grow(&mut store, 1).is_err(), "more than a mebibyte");
/// assert!(Memory::new(&mut store, MemoryType::new(1, None)).is_err(), "more than one");
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct StoreLimits {
    memory_size: Option<usize>,
    table_elements: Option<usize>,
    instances: usize,
    tables: usize,
    memories: usize,
    trap_on_grow_failure: bool,
}

impl Default for StoreLimits {
    fn default() -> StoreLimits {
        StoreLimits {
            memory_size: None,
            table_elements: None,
            instances: DEFAULT_COUNT,
            tables: DEFAULT_COUNT,
            memories: DEFAULT_COUNT,
            trap_on_grow_failure: false,
        }
    }
}

/// Makes [`StoreLimits`].
#[derive(Clone, Debug, Default)]
pub struct StoreLimitsBuilder(StoreLimits);

impl StoreLimitsBuilder {
    /// The defaults, which the methods below name.
    pub fn new() -> StoreLimitsBuilder {
        StoreLimitsBuilder::default()
    }

    /// Bytes that each memory may have, and the GC heap. No limit by default.
    pub fn memory_size(mut self, bytes: usize) -> StoreLimitsBuilder {
        self.0.memory_size = Some(bytes);
        self
    }

    /// Elements that each table may have. No limit by default.
    pub fn table_elements(mut self, elements: usize) -> StoreLimitsBuilder {
        self.0.table_elements = Some(elements);
        self
    }

    /// Instances that the store may hold. 10,000 by default.
    pub fn instances(mut self, count: usize) -> StoreLimitsBuilder {
        self.0.instances = count;
        self
    }

    /// Tables that the store may hold. 10,000 by default.
    pub fn tables(mut self, count: usize) -> StoreLimitsBuilder {
        self.0.tables = count;
        self
    }

    /// Memories that the store may hold. 10,000 by default.
    pub fn memories(mut self, count: usize) -> StoreLimitsBuilder {
        self.0.memories = count;
        self
    }

    /// Makes whatever cannot grow an error that stops the guest, where `memory.grow` and `table.grow`
    /// would answer -1. It is for finding the place. Off by default.
    pub fn trap_on_grow_failure(mut self, trap: bool) -> StoreLimitsBuilder {
        self.0.trap_on_grow_failure = trap;
        self
    }

    /// The limits.
    pub fn build(self) -> StoreLimits {
        self.0
    }
}

impl StoreLimits {
    fn permits(
        &self,
        desired: usize,
        limit: Option<usize>,
        maximum: Option<usize>,
        (what, unit): (&str, &str),
    ) -> Result<bool> {
        let most = limit.into_iter().chain(maximum).min().unwrap_or(usize::MAX);
        if desired > most && self.trap_on_grow_failure {
            bail!("{what} of {desired} {unit} exceeds its limit of {most} {unit}");
        }
        Ok(desired <= most)
    }

    fn failed(&self, error: Error, what: &str) -> Result<()> {
        match self.trap_on_grow_failure {
            true => Err(error.context(format!("{what} could not grow"))),
            false => Ok(()),
        }
    }
}

impl ResourceLimiter for StoreLimits {
    fn memory_growing(
        &mut self,
        _current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> Result<bool> {
        self.permits(desired, self.memory_size, maximum, ("a memory", "bytes"))
    }

    fn memory_grow_failed(&mut self, error: Error) -> Result<()> {
        self.failed(error, "a memory")
    }

    fn table_growing(
        &mut self,
        _current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> Result<bool> {
        self.permits(desired, self.table_elements, maximum, ("a table", "elements"))
    }

    fn table_grow_failed(&mut self, error: Error) -> Result<()> {
        self.failed(error, "a table")
    }

    fn instances(&self) -> usize {
        self.instances
    }

    fn tables(&self) -> usize {
        self.tables
    }

    fn memories(&self) -> usize {
        self.memories
    }
}
