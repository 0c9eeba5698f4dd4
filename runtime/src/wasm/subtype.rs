//! Subtyping of reference, value and function types, and matching of imports against
//! definitions, by the specification's rules over canonical types.

use super::types::{
    CompositeType, FieldType, FuncType, GlobalType, HeapType, Limits, MemoryType, RefType,
    StorageType, SubType, TableType, TypeRegistry, ValType,
};

/// How many supertypes a type may have, as in every engine.
const MAX_SUBTYPING_DEPTH: usize = 63;

impl TypeRegistry {
    /// Whether heap type `a` matches heap type `b`.
    pub(crate) fn heap_matches(&self, a: HeapType, b: HeapType) -> bool {
        use HeapType::{
            Any, Array, Concrete, Eq, Exn, Extern, Func, I31, NoExn, NoExtern, NoFunc, None, Struct,
        };
        match (a, b) {
            (Concrete(a), Concrete(b)) => self.is_subtype(a, b),
            (Concrete(a), b) => matches!(
                (&self.get(a).composite, b),
                (CompositeType::Func(_), Func)
                    | (CompositeType::Struct(_), Struct | Eq | Any)
                    | (CompositeType::Array(_), Array | Eq | Any)
            ),
            (NoFunc, Concrete(b)) => matches!(self.get(b).composite, CompositeType::Func(_)),
            (None, Concrete(b)) => !matches!(self.get(b).composite, CompositeType::Func(_)),
            (NoFunc, Func) | (NoExtern, Extern) | (NoExn, Exn) => true,
            (None, Any | Eq | I31 | Struct | Array) => true,
            (I31 | Struct | Array, Eq | Any) | (Eq, Any) => true,
            (a, b) => a == b,
        }
    }

    /// Whether reference type `a` matches reference type `b`.
    pub(crate) fn ref_matches(&self, a: RefType, b: RefType) -> bool {
        (b.nullable || !a.nullable) && self.heap_matches(a.heap, b.heap)
    }

    /// Whether value type `a` matches value type `b`.
    pub(crate) fn val_matches(&self, a: ValType, b: ValType) -> bool {
        match (a, b) {
            (ValType::Ref(a), ValType::Ref(b)) => self.ref_matches(a, b),
            (a, b) => a == b,
        }
    }

    /// Whether the parameters and results of `a` match those of `b`, as a declared subtype's must.
    pub(crate) fn func_matches(&self, a: &FuncType, b: &FuncType) -> bool {
        a.params.len() == b.params.len()
            && a.results.len() == b.results.len()
            && a.params.iter().zip(&b.params).all(|(a, b)| self.val_matches(*b, *a))
            && a.results.iter().zip(&b.results).all(|(a, b)| self.val_matches(*a, *b))
    }

    /// Whether a field or an element of type `a` matches one of type `b`: covariant if immutable, else
    /// equal.
    pub(crate) fn field_matches(&self, a: FieldType, b: FieldType) -> bool {
        a.mutable == b.mutable
            && self.storage_matches(a.storage, b.storage)
            && (!a.mutable || self.storage_matches(b.storage, a.storage))
    }

    /// Whether storage type `a` matches storage type `b`.
    pub(crate) fn storage_matches(&self, a: StorageType, b: StorageType) -> bool {
        match (a, b) {
            (StorageType::Val(a), StorageType::Val(b)) => self.val_matches(a, b),
            (a, b) => a == b,
        }
    }

    /// Whether a type may declare the supertype that it does.
    ///
    /// # Errors
    ///
    /// What is wrong, if it may not.
    pub(crate) fn check_supertype(&self, ty: &SubType) -> Result<(), &'static str> {
        let Some(supertype) = ty.supertype else { return Ok(()) };
        let declared = self.get(supertype);
        if declared.is_final {
            return Err("the supertype is final");
        }
        if self.display(supertype).len() > MAX_SUBTYPING_DEPTH {
            return Err("the supertype has too many supertypes itself");
        }
        match (&ty.composite, &declared.composite) {
            (CompositeType::Func(a), CompositeType::Func(b)) => match self.func_matches(a, b) {
                true => Ok(()),
                false => Err("parameters or results do not match those of the supertype"),
            },
            (CompositeType::Struct(a), CompositeType::Struct(b)) => {
                let matches = |(a, b): (&FieldType, &FieldType)| self.field_matches(*a, *b);
                match a.len() >= b.len() && a.iter().zip(b).all(matches) {
                    true => Ok(()),
                    false => Err("the fields do not begin with those of the supertype"),
                }
            }
            (CompositeType::Array(a), CompositeType::Array(b)) => {
                match self.field_matches(*a, *b) {
                    true => Ok(()),
                    false => Err("the elements do not match those of the supertype"),
                }
            }
            _ => Err("the supertype is of another kind"),
        }
    }

    /// Whether a table of type `a` may be imported as `b`: the element types are equal and the
    /// limits fit. `size` is the table's current number of elements.
    pub(crate) fn table_matches(&self, a: &TableType, size: u64, b: &TableType) -> bool {
        a.is_64 == b.is_64
            && self.ref_matches(a.element, b.element)
            && self.ref_matches(b.element, a.element)
            && limits_match(size, a.limits.max, b.limits)
    }

    /// Whether a global of type `a` may be imported as `b`: covariant if immutable, else equal.
    pub(crate) fn global_matches(&self, a: &GlobalType, b: &GlobalType) -> bool {
        a.mutable == b.mutable
            && self.val_matches(a.content, b.content)
            && (!a.mutable || self.val_matches(b.content, a.content))
    }

    /// Whether a host function of signature `host` may stand behind an import of type `wasm`. The
    /// nullability of parameters is left aside: the boundary checks for null.
    pub(crate) fn host_func_fits(&self, host: &FuncType, wasm: &FuncType) -> bool {
        host.params.len() == wasm.params.len()
            && host.results.len() == wasm.results.len()
            && host.params.iter().zip(&wasm.params).all(|(h, w)| self.fits_but_null(*w, *h))
            && host.results.iter().zip(&wasm.results).all(|(h, w)| self.val_matches(*h, *w))
    }

    /// Whether `from` matches `to` when null is left aside.
    pub(crate) fn fits_but_null(&self, from: ValType, to: ValType) -> bool {
        match (from, to) {
            (ValType::Ref(from), ValType::Ref(to)) => self.heap_matches(from.heap, to.heap),
            (from, to) => from == to,
        }
    }
}

/// Whether a memory of type `a` may be imported as `b`. `size` is its current number of pages.
pub(crate) fn memory_matches(a: &MemoryType, size: u64, b: &MemoryType) -> bool {
    a.is_64 == b.is_64
        && a.shared == b.shared
        && a.page_size_log2 == b.page_size_log2
        && limits_match(size, a.limits.max, b.limits)
}

fn limits_match(size: u64, max: Option<u64>, wanted: Limits) -> bool {
    size >= wanted.min
        && match (max, wanted.max) {
            (_, None) => true,
            (Some(max), Some(wanted)) => max <= wanted,
            (None, Some(_)) => false,
        }
}
