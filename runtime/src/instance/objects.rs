//! Structs and arrays of a store: making them at safepoints, and what instructions do to many elements
//! of arrays at once. Bounds are checked before anything is written.

use std::sync::Arc;

use super::definition::{RawRef, range};
use super::object_types::ObjectType;
use super::segments::{memory_trap, table_trap};
use super::store::StoreInner;
use crate::abi::gc_layout::{ObjectLayout, StructLayout};
use crate::error::Result;
use crate::gc::{Elements, GcRef, GcStore, Referent};
use crate::trap::Trap;
use crate::vm::context::VmHeap;
use crate::wasm::types::{HeapType, RefType, TypeId};

impl StoreInner {
    /// Where the parts of objects of type `ty` lie.
    pub(crate) fn object_layout(&self, ty: TypeId) -> Arc<ObjectLayout> {
        self.engine.types().layout(ty).clone()
    }

    /// Reserves the heap and tells compiled code where it is.
    ///
    /// # Errors
    ///
    /// If the address space is used up.
    pub(crate) fn reserve_heap(&mut self) -> Result<()> {
        self.gc.reserve(&self.vm.heap)
    }

    /// Makes an object of `size` bytes at a safepoint with `alloc`: collects when it is due or when the
    /// heap is full.
    ///
    /// # Errors
    ///
    /// If it is larger than the heap may be, or the heap is full of live objects; the limiter's.
    fn alloc_object(
        &mut self,
        size: Option<u32>,
        alloc: impl Fn(&mut GcStore, &VmHeap, u32) -> Option<GcRef>,
    ) -> Result<GcRef> {
        let size = size.filter(|size| self.gc.may_hold(*size)).ok_or(Trap::AllocationTooLarge)?;
        self.make(size, |gc, heap| alloc(gc, heap, size))
    }

    /// Room for a young object of at most [`LARGE_OBJECT`](crate::abi::object::LARGE_OBJECT) bytes, in
    /// which nothing is initialised, as [`StoreInner::alloc_object`].
    pub(crate) fn alloc_room(&mut self, size: u32) -> Result<GcRef> {
        self.alloc_object(Some(size), GcStore::alloc_room)
    }

    /// An object of zeros but for its header, as [`StoreInner::alloc_object`].
    pub(crate) fn new_object(&mut self, ty: TypeId, size: u32) -> Result<GcRef> {
        self.alloc_object(Some(size), |gc, heap, size| gc.alloc_object(heap, ty, size))
    }

    /// A struct whose fields are zero or null, as [`StoreInner::alloc_object`].
    pub(crate) fn new_struct(&mut self, ty: TypeId, layout: &StructLayout) -> Result<GcRef> {
        self.alloc_object(Some(layout.size), |gc, heap, _| gc.alloc_struct(heap, ty, layout))
    }

    /// An array of `len` elements that are zero or null, as [`StoreInner::alloc_object`].
    pub(crate) fn new_array(&mut self, ty: TypeId, len: u32) -> Result<GcRef> {
        let size = self.object_layout(ty).unwrap_array().size(len);
        self.alloc_object(size, |gc, heap, size| gc.alloc_array(heap, ty, len, size))
    }

    /// `array.new_data`
    pub(crate) fn new_array_of_data(
        &mut self,
        instance: usize,
        ty: TypeId,
        segment: usize,
        from: u32,
        len: u32,
    ) -> Result<GcRef> {
        let size_log2 = self.object_layout(ty).unwrap_array().element.size_log2();
        let data = self.instances[instance].data_len(segment);
        range(from.into(), u64::from(len) << size_log2, data).map_err(memory_trap)?;
        let array = self.new_array(ty, len)?;
        self.array_init_data(instance, Some(array), segment, 0, from, len)?;
        Ok(array)
    }

    /// `array.new_elem`
    pub(crate) fn new_array_of_elements(
        &mut self,
        instance: usize,
        ty: TypeId,
        segment: usize,
        from: u32,
        len: u32,
    ) -> Result<GcRef> {
        let items = self.instances[instance].elements[segment].items().len() as u64;
        range(from.into(), len.into(), items).map_err(table_trap)?;
        let array = self.new_array(ty, len)?;
        self.array_init_elements(instance, Some(array), segment, 0, from, len)?;
        Ok(array)
    }

    /// `array.fill`
    pub(crate) fn array_fill(
        &mut self,
        array: Option<GcRef>,
        at: u32,
        bits: u128,
        len: u32,
    ) -> Result<(), Trap> {
        let to = self.elements(array, at, len)?;
        self.gc.fill(to, bits);
        Ok(())
    }

    /// `array.copy`
    pub(crate) fn array_copy(
        &mut self,
        (to, to_index): (Option<GcRef>, u32),
        (from, from_index): (Option<GcRef>, u32),
        len: u32,
    ) -> Result<(), Trap> {
        let to = self.elements(to, to_index, len)?;
        let from = self.elements(from, from_index, len)?;
        self.gc.copy(to, from);
        Ok(())
    }

    /// `array.init_data`
    pub(crate) fn array_init_data(
        &mut self,
        instance: usize,
        array: Option<GcRef>,
        segment: usize,
        at: u32,
        from: u32,
        len: u32,
    ) -> Result<(), Trap> {
        let to = self.elements(array, at, len)?;
        let StoreInner { instances, gc, .. } = self;
        let bytes = instances[instance].data(segment);
        let len = u64::from(len) << to.size_log2;
        let from = range(from.into(), len, bytes.len() as u64).map_err(memory_trap)?;
        gc.write_bytes(to, &bytes[from]);
        Ok(())
    }

    /// `array.init_elem`
    pub(crate) fn array_init_elements(
        &mut self,
        instance: usize,
        array: Option<GcRef>,
        segment: usize,
        at: u32,
        from: u32,
        len: u32,
    ) -> Result<(), Trap> {
        let to = self.elements(array, at, len)?;
        let StoreInner { instances, gc, .. } = self;
        let items = instances[instance].elements[segment].items();
        let from = range(from.into(), len.into(), items.len() as u64).map_err(table_trap)?;
        gc.write_each(to, items[from].iter().map(|item| item.to_bits()));
        Ok(())
    }

    fn elements(&self, array: Option<GcRef>, at: u32, len: u32) -> Result<Elements, Trap> {
        let array = array.ok_or(Trap::NullReference)?;
        self.gc.elements(array, at, len).ok_or(Trap::ArrayOutOfBounds)
    }

    /// The narrowest type of a reference to something of type `heap`.
    pub(crate) fn type_of_ref(&self, reference: RawRef, heap: HeapType) -> RefType {
        let (nullable, heap) = match reference {
            RawRef::Func(None) => (true, HeapType::NoFunc),
            RawRef::Func(Some(func)) => (false, HeapType::Concrete(func.type_id())),
            RawRef::Gc(raw) => match (GcRef::from_raw(raw), heap) {
                (None, HeapType::Extern | HeapType::NoExtern) => (true, HeapType::NoExtern),
                (None, HeapType::Exn | HeapType::NoExn) => (true, HeapType::NoExn),
                (None, _) => (true, HeapType::None),
                (_, HeapType::Extern | HeapType::NoExtern) => (false, HeapType::Extern),
                (_, HeapType::Exn | HeapType::NoExn) => (false, HeapType::Exn),
                (Some(object), _) => (false, self.heap_type_of(object)),
            },
        };
        RefType { nullable, heap }
    }

    /// The narrowest type of what a reference of type `anyref` leads to.
    pub(crate) fn heap_type_of(&self, object: GcRef) -> HeapType {
        match self.gc.referent(object) {
            Referent::I31 => HeapType::I31,
            Referent::Object(ty) => HeapType::Concrete(ty),
            Referent::Host | Referent::Exception => HeapType::Any,
        }
    }

    /// Whether what a reference of type `anyref` leads to is of type `wanted`. Takes the lock of the types
    /// only to compare two of them.
    pub(crate) fn is_of_type(&self, object: GcRef, wanted: HeapType) -> bool {
        match (self.gc.referent(object), wanted) {
            (_, HeapType::Any) => true,
            (Referent::I31, wanted) => matches!(wanted, HeapType::Eq | HeapType::I31),
            (Referent::Object(_), HeapType::Eq) => true,
            (Referent::Object(ty), HeapType::Struct) => self.gc.are_structs(ty),
            (Referent::Object(ty), HeapType::Array) => !self.gc.are_structs(ty),
            (Referent::Object(ty), HeapType::Concrete(wanted)) => {
                ty == wanted || self.engine.types().is_subtype(ty, wanted)
            }
            _ => false,
        }
    }

    /// A struct for the host, whose fields are zero or null. Never collects: `None` when the heap is
    /// full.
    ///
    /// # Errors
    ///
    /// The limiter's.
    pub(crate) fn host_struct(&mut self, ty: &ObjectType) -> Result<Option<GcRef>> {
        self.host_object(ty.id, ty.layout.unwrap_struct().size)
    }

    /// An array for the host, whose elements are zero or null. Never collects: `None` when the heap is
    /// full.
    ///
    /// # Errors
    ///
    /// The limiter's.
    pub(crate) fn host_array(&mut self, ty: &ObjectType, len: u32) -> Result<Option<GcRef>> {
        let Some(size) = ty.layout.unwrap_array().size(len) else { return Ok(None) };
        let array = self.host_object(ty.id, size)?;
        if let Some(array) = array {
            self.gc.set_array_len(array, len);
        }
        Ok(array)
    }

    fn host_object(&mut self, ty: TypeId, size: u32) -> Result<Option<GcRef>> {
        let made = self.gc.alloc_object_for_host(&self.vm.heap, ty, size);
        if made.is_some() || !self.grow_heap(size)? {
            return Ok(made);
        }
        Ok(self.gc.alloc_object_for_host(&self.vm.heap, ty, size))
    }
}
