//! What a derived type says of its objects: their name, and the traits they can be seen as. Plain
//! data, made at compile time.

use std::fmt;

use super::payload::HostData;

/// What `#[derive(HostObject)]` knows of a type.
pub struct ObjectKind {
    name: &'static str,
    casts: &'static [Cast],
}

impl ObjectKind {
    /// A type that messages call `name`, whose objects can be seen as what `casts` say.
    pub const fn new(name: &'static str, casts: &'static [Cast]) -> ObjectKind {
        ObjectKind { name, casts }
    }

    /// What messages call the type.
    pub(crate) fn name(&self) -> &'static str {
        self.name
    }

    /// How an object of the type is seen as a `D`.
    pub(crate) fn cast<D: ?Sized + 'static>(&self) -> Option<CastFn<D>> {
        self.casts.iter().find_map(|cast| cast.0.downcast_ref::<CastFn<D>>()).copied()
    }
}

impl fmt::Debug for ObjectKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ObjectKind").field(&self.name).finish()
    }
}

/// A [`CastFn`] to some trait object.
pub struct Cast(&'static HostData);

impl Cast {
    /// A cast by `function`.
    pub const fn new<D: ?Sized + 'static>(function: &'static CastFn<D>) -> Cast {
        Cast(function)
    }
}

impl fmt::Debug for Cast {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Cast")
    }
}

/// Sees a host object as a `D`, if it is of the type that this is for.
pub struct CastFn<D: ?Sized + 'static>(pub fn(&HostData) -> Option<&D>);

impl<D: ?Sized + 'static> Clone for CastFn<D> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<D: ?Sized + 'static> Copy for CastFn<D> {}

impl<D: ?Sized + 'static> fmt::Debug for CastFn<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CastFn")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::any::Any;
    use std::fmt::{Debug, Display};

    const SHOWN: CastFn<dyn Display> =
        CastFn(|any: &HostData| any.downcast_ref::<u32>().map(|number| number as &dyn Display));
    const KIND: ObjectKind = ObjectKind::new("Number", &[Cast::new(&SHOWN)]);

    #[test]
    fn a_cast_is_found_by_the_trait() {
        let number: &HostData = &7_u32;
        let cast = KIND.cast::<dyn Display>().unwrap();
        assert_eq!((cast.0)(number).unwrap().to_string(), "7");
        assert!(KIND.cast::<dyn Debug>().is_none());
        let text: &HostData = &"text";
        assert!((cast.0)(text as &(dyn Any + Send + Sync)).is_none());
    }
}
