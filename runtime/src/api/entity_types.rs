//! Public types of globals, tables and memories. Values and functions are in `types`.

use anyhow::ensure;

use super::engine::Engine;
use super::value_types::{RefType, ValType};
use crate::error::Result;
use crate::wasm::types as wasm;

/// Whether a global, a field or an element may be assigned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Mutability {
    /// It keeps the value that it began with.
    Const,
    /// It may change.
    Var,
}

impl Mutability {
    /// Whether it keeps its initial value.
    pub fn is_const(&self) -> bool {
        *self == Mutability::Const
    }

    /// Whether it may change.
    pub fn is_var(&self) -> bool {
        *self == Mutability::Var
    }
}

/// The type of a global.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GlobalType {
    content: ValType,
    mutability: Mutability,
}

/// The type of a table. Sizes are in elements.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableType {
    element: RefType,
    limits: wasm::Limits,
    is_64: bool,
}

/// The type of a linear memory. Sizes are in pages, of 64 KiB unless the type says otherwise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MemoryType(wasm::MemoryType);

/// Makes a [`MemoryType`] with several properties.
#[derive(Clone, Debug)]
pub struct MemoryTypeBuilder(wasm::MemoryType);

impl GlobalType {
    /// The type of globals that hold `content`.
    pub fn new(content: ValType, mutability: Mutability) -> GlobalType {
        GlobalType { content, mutability }
    }

    /// The type of the value.
    pub fn content(&self) -> &ValType {
        &self.content
    }

    /// Whether the global may be assigned.
    pub fn mutability(&self) -> Mutability {
        self.mutability
    }

    pub(crate) fn from_wasm(engine: &Engine, ty: wasm::GlobalType) -> GlobalType {
        let mutability = if ty.mutable { Mutability::Var } else { Mutability::Const };
        GlobalType { content: ValType::from_wasm(engine, ty.content), mutability }
    }

    pub(crate) fn to_wasm(&self) -> wasm::GlobalType {
        let mutable = self.mutability == Mutability::Var;
        wasm::GlobalType { content: self.content.to_wasm(), mutable }
    }
}

impl TableType {
    /// The type of tables of `element` with at least `min` and at most `max` elements.
    pub fn new(element: RefType, min: u32, max: Option<u32>) -> TableType {
        let limits = wasm::Limits { min: u64::from(min), max: max.map(u64::from) };
        TableType { element, limits, is_64: false }
    }

    /// As [`new`](TableType::new), for tables with 64-bit indices.
    pub fn new64(element: RefType, min: u64, max: Option<u64>) -> TableType {
        TableType { element, limits: wasm::Limits { min, max }, is_64: true }
    }

    /// Whether indices have 64 bits.
    pub fn is_64(&self) -> bool {
        self.is_64
    }

    /// The type of the elements.
    pub fn element(&self) -> &RefType {
        &self.element
    }

    /// The least number of elements.
    pub fn minimum(&self) -> u64 {
        self.limits.min
    }

    /// The greatest number of elements, if the type has one.
    pub fn maximum(&self) -> Option<u64> {
        self.limits.max
    }

    pub(crate) fn from_wasm(engine: &Engine, ty: wasm::TableType) -> TableType {
        let element = RefType::from_wasm(engine, ty.element);
        TableType { element, limits: ty.limits, is_64: ty.is_64 }
    }

    pub(crate) fn to_wasm(&self) -> wasm::TableType {
        let element = self.element.to_wasm();
        wasm::TableType { element, limits: self.limits, is_64: self.is_64 }
    }
}

impl MemoryType {
    /// The type of memories with at least `minimum` and at most `maximum` pages of 64 KiB.
    pub fn new(minimum: u32, maximum: Option<u32>) -> MemoryType {
        MemoryType(wasm::MemoryType {
            limits: wasm::Limits { min: u64::from(minimum), max: maximum.map(u64::from) },
            is_64: false,
            shared: false,
            page_size_log2: 16,
        })
    }

    /// As [`new`](MemoryType::new), for memories with 64-bit addresses.
    pub fn new64(minimum: u64, maximum: Option<u64>) -> MemoryType {
        MemoryType(wasm::MemoryType {
            limits: wasm::Limits { min: minimum, max: maximum },
            is_64: true,
            shared: false,
            page_size_log2: 16,
        })
    }

    /// As [`new`](MemoryType::new), for memories that threads share: [`SharedMemory`].
    ///
    /// [`SharedMemory`]: crate::SharedMemory
    pub fn shared(minimum: u32, maximum: u32) -> MemoryType {
        let ty = MemoryType::new(minimum, Some(maximum));
        MemoryType(wasm::MemoryType { shared: true, ..ty.0 })
    }

    /// A type with properties that [`new`](MemoryType::new) and [`new64`](MemoryType::new64) leave
    /// out.
    ///
    /// ```
    /// use hostref::MemoryType;
    ///
    /// # fn main() -> hostref::Result<()> {
    /// let ty = MemoryType::builder().min(100).max(Some(200)).page_size_log2(0).build()?;
    /// assert_eq!((ty.page_size(), ty.minimum()), (1, 100));
    /// assert_eq!(ty.to_string(), "(memory 100 200 (pagesize 1))");
    /// # Ok(())
    /// # }
    /// ```
    pub fn builder() -> MemoryTypeBuilder {
        MemoryTypeBuilder::new()
    }

    /// Whether addresses have 64 bits.
    pub fn is_64(&self) -> bool {
        self.0.is_64
    }

    /// Whether threads share the memory.
    pub fn is_shared(&self) -> bool {
        self.0.shared
    }

    /// The size of a page in bytes.
    pub fn page_size(&self) -> u64 {
        1 << self.0.page_size_log2
    }

    /// The binary logarithm of [`page_size`](MemoryType::page_size).
    pub fn page_size_log2(&self) -> u8 {
        self.0.page_size_log2
    }

    /// The least number of pages.
    pub fn minimum(&self) -> u64 {
        self.0.limits.min
    }

    /// The greatest number of pages, if the type has one.
    pub fn maximum(&self) -> Option<u64> {
        self.0.limits.max
    }

    pub(crate) fn from_wasm(ty: wasm::MemoryType) -> MemoryType {
        MemoryType(ty)
    }

    /// The decoded type, if a memory may have it.
    pub(crate) fn to_wasm(&self) -> Result<wasm::MemoryType> {
        let wasm::MemoryType { limits: wasm::Limits { min, max }, is_64, shared, page_size_log2 } =
            self.0;
        ensure!(!shared || max.is_some(), "a shared memory needs a maximum: {self}");
        ensure!(matches!(page_size_log2, 0 | 16), "pages have 1 byte or 64 KiB");
        let all = if is_64 { u64::MAX } else { u64::from(u32::MAX) };
        let most = match page_size_log2 {
            0 => all,
            log2 => (all >> log2) + 1,
        };
        if min > most || max.is_some_and(|max| max > most || max < min) {
            anyhow::bail!("memory limits out of range: {self}, where at most {most} pages exist");
        }
        Ok(self.0)
    }
}

impl MemoryTypeBuilder {
    /// No pages at least, no limit, 32-bit addresses, not shared, pages of 64 KiB.
    pub fn new() -> MemoryTypeBuilder {
        MemoryTypeBuilder(MemoryType::new(0, None).0)
    }

    /// The least number of pages.
    pub fn min(&mut self, pages: u64) -> &mut MemoryTypeBuilder {
        self.0.limits.min = pages;
        self
    }

    /// The greatest number of pages.
    pub fn max(&mut self, pages: Option<u64>) -> &mut MemoryTypeBuilder {
        self.0.limits.max = pages;
        self
    }

    /// Whether addresses have 64 bits.
    pub fn memory64(&mut self, enable: bool) -> &mut MemoryTypeBuilder {
        self.0.is_64 = enable;
        self
    }

    /// Whether threads share the memory. Then it must have a maximum.
    pub fn shared(&mut self, enable: bool) -> &mut MemoryTypeBuilder {
        self.0.shared = enable;
        self
    }

    /// The binary logarithm of the size of a page: 16, or 0.
    pub fn page_size_log2(&mut self, log2: u8) -> &mut MemoryTypeBuilder {
        self.0.page_size_log2 = log2;
        self
    }

    /// The type.
    ///
    /// # Errors
    ///
    /// If there are no such memories: the limits or the size of a page are out of range, or a shared
    /// memory has no maximum.
    pub fn build(&self) -> Result<MemoryType> {
        MemoryType(self.0).to_wasm().map(MemoryType)
    }
}

impl Default for MemoryTypeBuilder {
    fn default() -> MemoryTypeBuilder {
        MemoryTypeBuilder::new()
    }
}
