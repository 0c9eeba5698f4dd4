//! The host table: payloads of host objects, by row. Lies outside the memory that guests can reach;
//! knows nothing of the heap.
//!
//! Invariant: the tag of an occupied row is that of its payload.

use std::any::{Any, TypeId};

use super::blocks::Blocks;
use super::borrow::{BorrowError, Located};
use super::object::RowId;
use super::payload::{HostData, Payload};

/// Why a reference did not lead to a host value of the wanted type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum HostRefError {
    /// The reference is null.
    Null,
    /// The reference is an i31 or an object that a guest made: this.
    NotHostObject(&'static str),
    /// The host object is of another type.
    WrongType {
        /// The name of that type.
        found: &'static str,
    },
    /// The host object cannot be seen as a wanted trait object.
    NoCast {
        /// The name of its type.
        found: &'static str,
        /// Whether it was made without the properties of its type.
        plain: bool,
    },
    /// The host object cannot be borrowed this way now.
    Borrow(BorrowError),
}

impl HostRefError {
    /// What the reference led to, for a message that begins with what was expected.
    #[cold]
    pub(crate) fn found(&self) -> String {
        match self {
            HostRefError::Null => "null".into(),
            HostRefError::NotHostObject(found) => (*found).into(),
            HostRefError::WrongType { found } => format!("a host object of type `{found}`"),
            HostRefError::NoCast { found, plain: false } => {
                format!(
                    "a host object of type `{found}`, which is not one: see `cast(..)` of `HostObject`"
                )
            }
            HostRefError::NoCast { found, plain: true } => format!(
                "a plain host object of type `{found}`; derive `HostObject` with `cast(..)`, and make \
                 the object with `ExternRef::object` or as the result of a host function"
            ),
            HostRefError::Borrow(_) => "a host object that is in use".into(),
        }
    }
}

impl From<BorrowError> for HostRefError {
    fn from(error: BorrowError) -> HostRefError {
        HostRefError::Borrow(error)
    }
}

/// All payloads of a store.
#[derive(Debug, Default)]
pub(super) struct HostTable {
    rows: Vec<Row>,
    /// The rows whose object is young, and those whose object died young but which are borrowed.
    young: Vec<u32>,
    /// The first vacant row; they form a list through [`Row::word`].
    vacant: Option<u32>,
    /// Payloads whose object is gone and whose value is still to be dropped.
    dead: Vec<Payload>,
    live: usize,
    /// What all payloads own, and the part of it that those in `dead` own.
    bytes: usize,
    dead_bytes: usize,
    /// The number of the latest collection.
    cycle: u32,
    /// What dead payloads have left.
    pub(super) blocks: Blocks,
}

#[derive(Debug)]
struct Row {
    /// The type of the payload's value; `TypeId` of [`Vacant`] in a vacant row.
    tag: TypeId,
    payload: Option<Payload>,
    /// In an occupied row the latest collection that reached its object, in a vacant one the next
    /// vacant row plus one.
    word: u32,
}

/// The type of no value.
enum Vacant {}

impl HostTable {
    /// Puts `payload` in a row of its own, for an object that is young or is not.
    #[inline]
    pub(super) fn insert(&mut self, payload: Payload, is_young: bool) -> RowId {
        let row = self.insert_old(payload);
        if is_young {
            self.young.push(row.0);
        }
        row
    }

    #[inline]
    fn insert_old(&mut self, payload: Payload) -> RowId {
        self.live += 1;
        self.bytes = self.bytes.saturating_add(payload.bytes());
        if let Some(at) = self.vacant {
            // Field by field: a whole row would be put together on the stack first, in pieces that
            // are slow to load again at once.
            let row = &mut self.rows[at as usize];
            self.vacant = row.word.checked_sub(1);
            row.tag = payload.tag();
            row.word = self.cycle;
            row.payload = Some(payload);
            RowId(at)
        } else {
            self.push(payload)
        }
    }

    #[cold]
    fn push(&mut self, payload: Payload) -> RowId {
        let at = u32::try_from(self.rows.len());
        let at = at.expect("a heap of 4 GiB holds fewer than 2^32 host objects");
        let (tag, word) = (payload.tag(), self.cycle);
        self.rows.push(Row { tag, payload: Some(payload), word });
        RowId(at)
    }

    /// The value in `row`, to be borrowed, if it is a `T`.
    #[inline]
    pub(super) fn locate<T: Any>(&self, row: RowId) -> Option<Located<T>> {
        let payload = self.tagged::<T>(row)?;
        // SAFETY: the row's tag is its payload's, which names the type of the value.
        Some(unsafe { payload.located_tagged() })
    }

    /// The payload in `row`, if it is a `T`: what the row itself says.
    #[inline]
    fn tagged<T: Any>(&self, row: RowId) -> Option<&Payload> {
        let row = self.row(row);
        if row.tag != TypeId::of::<T>() {
            return None;
        }
        // SAFETY: a vacant row has the tag of `Vacant`, which nobody else can name: it is not `T`.
        Some(unsafe { row.payload.as_ref().unwrap_unchecked() })
    }

    /// The value in `row`, whatever its type, if it may be read.
    #[inline]
    pub(super) fn any(&self, row: RowId) -> Option<&HostData> {
        self.payload(row).any()
    }

    /// The value in `row`, whatever its type, for writing.
    pub(super) fn any_mut(&mut self, row: RowId) -> Result<&mut HostData, HostRefError> {
        Ok(self.payload_mut(row).any_mut()?)
    }

    /// The value in `row`, if it is a `T` that may be read.
    #[inline]
    pub(super) fn value<T: Any>(&self, row: RowId) -> Option<&T> {
        let payload = self.tagged::<T>(row)?;
        // SAFETY: the row's tag is its payload's, which names the type of the value.
        unsafe { payload.value_tagged() }
    }

    /// [`HostTable::value`], with the reason if there is none.
    pub(super) fn value_or_reason<T: Any>(&self, row: RowId) -> Result<&T, HostRefError> {
        let payload = self.payload(row);
        if !payload.is::<T>() {
            return Err(wrong_type(payload));
        }
        let value = payload.value()?;
        Ok(value.expect("the type was compared just above"))
    }

    /// The value in `row`, if it is a `T`, for writing.
    pub(super) fn value_mut<T: Any>(&mut self, row: RowId) -> Result<&mut T, HostRefError> {
        let payload = self.payload_mut(row);
        if !payload.is::<T>() {
            return Err(wrong_type(payload));
        }
        let value = payload.value_mut()?;
        Ok(value.expect("the type was compared just above"))
    }

    /// Whether the value in `row` is a `T`.
    #[inline]
    pub(super) fn is<T: Any>(&self, row: RowId) -> bool {
        self.row(row).tag == TypeId::of::<T>()
    }

    /// The payload in `row`.
    #[inline]
    pub(super) fn payload(&self, row: RowId) -> &Payload {
        match &self.row(row).payload {
            Some(payload) => payload,
            None => dangling(),
        }
    }

    /// The payload in `row`, for changing its borrow word.
    #[inline]
    pub(super) fn payload_mut(&mut self, row: RowId) -> &mut Payload {
        match self.rows.get_mut(row.0 as usize) {
            Some(Row { payload: Some(payload), .. }) => payload,
            _ => dangling(),
        }
    }

    #[inline]
    fn row(&self, row: RowId) -> &Row {
        match self.rows.get(row.0 as usize) {
            Some(row) => row,
            None => dangling(),
        }
    }

    /// Begins a collection: no row is reached yet.
    pub(super) fn begin_cycle(&mut self) {
        if self.cycle == u32::MAX {
            for row in self.rows.iter_mut().filter(|row| row.payload.is_some()) {
                row.word = 0;
            }
            self.cycle = 0;
        }
        self.cycle += 1;
    }

    /// The running collection reached the object of `row`.
    pub(super) fn reach(&mut self, row: RowId) {
        let cycle = self.cycle;
        match self.rows.get_mut(row.0 as usize) {
            Some(Row { payload: Some(_), word, .. }) => *word = cycle,
            _ => dangling(),
        }
    }

    /// Ends a full collection: payloads of rows that were not reached become dead. A borrowed row
    /// stays, its object gone, until a collection finds it free.
    pub(super) fn end_cycle(&mut self) {
        self.young.clear();
        for at in 0..self.rows.len() as u32 {
            if self.bury(at) {
                self.young.push(at);
            }
        }
    }

    /// Ends a minor collection: as [`HostTable::end_cycle`], but of rows whose object was young only.
    pub(super) fn end_minor_cycle(&mut self) {
        let mut young = std::mem::take(&mut self.young);
        young.retain(|at| self.bury(*at));
        self.young = young;
    }

    /// Makes the payload of a row dead if it was not reached. Returns whether it should be but is
    /// borrowed.
    fn bury(&mut self, at: u32) -> bool {
        let row = &mut self.rows[at as usize];
        if row.payload.is_none() || row.word == self.cycle {
            return false;
        }
        let Some(payload) = row.payload.take_if(|payload| !payload.is_borrowed()) else {
            return true;
        };
        row.tag = TypeId::of::<Vacant>();
        row.word = self.vacant.map_or(0, |next| next + 1);
        self.vacant = Some(at);
        self.live -= 1;
        self.dead_bytes = self.dead_bytes.saturating_add(payload.bytes());
        self.dead.push(payload);
        false
    }

    /// A payload whose object is gone. The caller drops it where a destructor may run.
    pub(super) fn take_dead(&mut self) -> Option<Payload> {
        let payload = self.dead.pop()?;
        self.bytes = self.bytes.saturating_sub(payload.bytes());
        self.dead_bytes = self.dead_bytes.saturating_sub(payload.bytes());
        Some(payload)
    }

    /// Any payload at all: the store goes.
    pub(super) fn take_any(&mut self) -> Option<Payload> {
        self.take_dead().or_else(|| {
            while let Some(row) = self.rows.pop() {
                if let Some(payload) = row.payload {
                    self.live -= 1;
                    self.bytes = self.bytes.saturating_sub(payload.bytes());
                    return Some(payload);
                }
            }
            self.vacant = None;
            self.young.clear();
            None
        })
    }

    /// Payloads in rows.
    pub(super) fn live(&self) -> usize {
        self.live
    }

    /// Payloads waiting in [`HostTable::take_dead`].
    pub(super) fn dead(&self) -> usize {
        self.dead.len()
    }

    /// What all payloads own, dead ones included until they are taken.
    #[inline]
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// What the payloads in rows own.
    pub(super) fn live_bytes(&self) -> usize {
        self.bytes.saturating_sub(self.dead_bytes)
    }

    /// The rows that hold a payload.
    pub(super) fn occupied(&self) -> impl Iterator<Item = (RowId, &Payload)> {
        let rows = (0..).zip(&self.rows);
        rows.filter_map(|(at, row)| Some((RowId(at), row.payload.as_ref()?)))
    }
}

/// Why a payload is not of the wanted type.
#[cold]
pub(super) fn wrong_type(payload: &Payload) -> HostRefError {
    HostRefError::WrongType { found: payload.type_name() }
}

#[cold]
#[inline(never)]
fn dangling() -> ! {
    panic!("host table invariant: the row of a live object holds a payload");
}

#[cfg(test)]
#[allow(unsafe_code, reason = "borrowing is for a caller that keeps the order")]
mod tests {
    use super::super::borrow::{BorrowSite, Holder};
    use super::super::payload::Properties;
    use super::*;

    fn payload(value: u32) -> Payload {
        let properties = Properties { external: 1000, ..Properties::default() };
        Payload::new(value, properties, &mut Blocks::default())
    }

    #[test]
    fn unreached_rows_die_and_are_used_again() {
        let mut table = HostTable::default();
        let rows = [1, 2, 3].map(|value| table.insert(payload(value), true));
        table.begin_cycle();
        table.reach(rows[1]);
        table.end_cycle();
        assert_eq!((table.live(), table.dead()), (1, 2));
        assert!(table.bytes() > 3000, "dead values still own their memory");
        while table.take_dead().is_some() {}
        assert!(table.bytes() < 2000);
        assert_eq!(table.value::<u32>(rows[1]), Some(&2));
        let (again, more) = (table.insert(payload(4), true), table.insert(payload(5), true));
        assert!(again != more && rows.contains(&again) && rows.contains(&more));
    }

    #[test]
    fn a_borrowed_row_outlives_its_object() {
        let mut table = HostTable::default();
        let row = table.insert(payload(1), false);
        let site = const { &BorrowSite::new("m", "f", "p") };
        let located = table.locate::<u32>(row).unwrap();
        // SAFETY: nothing was dropped since, and the guard goes before the table does.
        let guard = unsafe { located.borrow(site) }.ok().unwrap();
        table.begin_cycle();
        table.end_cycle();
        assert_eq!((table.live(), table.dead()), (1, 0));
        drop(guard);
        table.begin_cycle();
        table.end_cycle();
        assert_eq!((table.live(), table.dead()), (0, 1));
    }

    #[test]
    fn minor_collections_look_at_young_rows_only() {
        let mut table = HostTable::default();
        let old = table.insert(payload(1), false);
        let rows = [2, 3].map(|value| table.insert(payload(value), true));
        let site = const { &BorrowSite::new("m", "f", "p") };
        let borrowed = table.insert(payload(4), true);
        let located = table.locate::<u32>(borrowed).unwrap();
        // SAFETY: nothing was dropped since, and the guard goes before the table does.
        let guard = unsafe { located.borrow(site) }.ok().unwrap();
        let minor = |table: &mut HostTable, reached: &[RowId]| {
            table.begin_cycle();
            reached.iter().for_each(|row| table.reach(*row));
            table.end_minor_cycle();
            (table.live(), table.dead())
        };
        assert_eq!(minor(&mut table, &[rows[1]]), (3, 1));
        assert_eq!(minor(&mut table, &[]), (3, 1), "the survivor is old, the other borrowed");
        drop(guard);
        assert_eq!(minor(&mut table, &[]), (2, 2));
        // A full collection finds borrowed rows too, and leaves no trace of them.
        let orphan = table.insert(payload(5), false);
        let located = table.locate::<u32>(orphan).unwrap();
        // SAFETY: as above.
        let guard = unsafe { located.borrow(site) }.ok().unwrap();
        table.begin_cycle();
        [old, rows[1]].into_iter().for_each(|row| table.reach(row));
        table.end_cycle();
        assert_eq!((table.live(), table.dead()), (3, 2));
        drop(guard);
        assert_eq!(minor(&mut table, &[]), (2, 3));
        let again = table.insert(payload(6), false);
        assert_eq!(minor(&mut table, &[]), (3, 3), "{again:?} is old");
    }

    #[test]
    fn a_wrong_type_is_named() {
        let mut table = HostTable::default();
        let row = table.insert(payload(1), false);
        let wrong = HostRefError::WrongType { found: "u32" };
        assert_eq!(table.value_mut::<u64>(row), Err(wrong));
        assert_eq!(table.value::<u64>(row), None);
        assert!(table.locate::<u64>(row).is_none() && !table.is::<u64>(row));
        assert_eq!(table.value_or_reason::<u64>(row), Err(wrong));
        assert_eq!(table.value_or_reason::<u32>(row), Ok(&1));
        assert!(table.locate::<u32>(row).is_some() && table.is::<u32>(row));
    }

    /// Another thread may end a borrow at any time, and so between two looks at it.
    #[test]
    fn a_refusal_is_for_the_borrow_that_caused_it() {
        let mut table = HostTable::default();
        let row = table.insert(payload(1), false);
        let borrowed = BorrowError::Exclusive { holder: Holder::Guard }.into();
        for _ in 0..300 {
            let located = table.locate::<u32>(row).unwrap();
            // SAFETY: nothing was dropped since, and nobody else has the table yet.
            let guard = unsafe { located.detach_mut() }.ok().unwrap();
            let read = || {
                while let Err(reason) = table.value_or_reason::<u32>(row) {
                    assert_eq!(reason, borrowed);
                }
            };
            std::thread::scope(|scope| {
                scope.spawn(read);
                drop(guard);
            });
        }
    }

    #[test]
    fn cycles_may_wrap_around() {
        let mut table = HostTable { cycle: u32::MAX, ..HostTable::default() };
        let (kept, lost) = (table.insert(payload(1), false), table.insert(payload(2), false));
        table.begin_cycle();
        table.reach(kept);
        table.end_cycle();
        assert_eq!(table.value::<u32>(kept), Some(&1));
        assert_eq!((table.live(), table.dead()), (1, 1));
        assert_eq!(table.take_dead().unwrap().value::<u32>(), Ok(Some(&2)));
        let _ = lost;
    }

    #[test]
    fn everything_can_be_taken_at_the_end() {
        let mut table = HostTable::default();
        for value in 0..5 {
            table.insert(payload(value), true);
        }
        table.begin_cycle();
        table.reach(RowId(3));
        table.end_cycle();
        assert_eq!(std::iter::from_fn(|| table.take_any()).count(), 5);
        assert_eq!((table.live(), table.dead(), table.bytes()), (0, 0, 0));
    }
}
