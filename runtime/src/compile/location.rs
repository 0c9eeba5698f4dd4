//! Places in the Wasm bytes as numbers that Cranelift carries along with instructions. A place in a
//! function's own body is its offset; places in the bodies of inlined functions, which may be there
//! more than once, have numbers behind that body.

use std::ops::Range;

use crate::abi::code_map::InlinedCall;
use crate::wasm::index::DefinedFuncIndex;

/// The numbers of one function that is being compiled.
#[derive(Debug)]
pub(super) struct Locations {
    /// Where the function's body starts.
    start: u32,
    /// The next number that is free.
    end: u32,
    calls: Vec<InlinedBody>,
}

/// The body of an inlined function.
#[derive(Debug)]
struct InlinedBody {
    call: InlinedCall,
    /// The number of its first byte.
    first: u32,
    /// Where in the Wasm bytes that is.
    start: u32,
}

impl Locations {
    /// Those of the function with this body.
    pub(super) fn new(body: Range<u32>) -> Locations {
        Locations { start: body.start, end: body.end, calls: Vec::new() }
    }

    /// Where the function's body starts.
    pub(super) fn start(&self) -> u32 {
        self.start
    }

    /// Adds the body of `callee`, which is inlined for the call at the location `call`. Returns the
    /// location of its first byte; `None` if there are no numbers left.
    pub(super) fn inline(
        &mut self,
        callee: DefinedFuncIndex,
        body: Range<u32>,
        call: u32,
    ) -> Option<u32> {
        let first = self.end;
        self.end = first.checked_add(body.end - body.start)?;
        let (source, within) = self.resolve(call);
        let call = InlinedCall { callee, source, within };
        self.calls.push(InlinedBody { call, first, start: body.start });
        Some(first)
    }

    /// The place in the Wasm bytes that has this location, and the position among the inlined calls
    /// of the one whose body it is in.
    pub(super) fn resolve(&self, location: u32) -> (u32, Option<u32>) {
        let next = self.calls.partition_point(|body| body.first <= location);
        match next.checked_sub(1) {
            None => (location, None),
            Some(position) => {
                let body = &self.calls[position];
                let position = u32::try_from(position).expect("a call has a number of its own");
                (body.start + (location - body.first), Some(position))
            }
        }
    }

    /// The calls that were inlined, each behind the one that it is within.
    pub(super) fn into_inlined_calls(self) -> Vec<InlinedCall> {
        self.calls.into_iter().map(|body| body.call).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn locations_of_nested_inlined_bodies_resolve() {
        let mut locations = Locations::new(100..150);
        let outer = locations.inline(DefinedFuncIndex(7), 10..20, 120).unwrap();
        let inner = locations.inline(DefinedFuncIndex(8), 30..40, outer + 5).unwrap();
        let again = locations.inline(DefinedFuncIndex(7), 10..20, 130).unwrap();
        assert_eq!(locations.resolve(149), (149, None));
        assert_eq!(locations.resolve(outer + 9), (19, Some(0)));
        assert_eq!(locations.resolve(inner), (30, Some(1)));
        assert_eq!(locations.resolve(again + 1), (11, Some(2)));
        assert_eq!(locations.inline(DefinedFuncIndex(9), 0..u32::MAX, 100), None);
        let [first, second, third] = locations.into_inlined_calls()[..] else { panic!() };
        assert_eq!((first.callee.0, first.source, first.within), (7, 120, None));
        assert_eq!((second.callee.0, second.source, second.within), (8, 15, Some(0)));
        assert_eq!((third.callee.0, third.source, third.within), (7, 130, None));
    }
}
