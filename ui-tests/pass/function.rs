//! Which functions `#[host_module]` accepts, and with which flags.

use hostref::{Engine, Linker, Result, host_module};

struct Env;

struct Doc(i32);

#[host_module(name = "env", receiver = "object", rename_all = "camelCase")]
impl Doc {
    /// Documented, with "quotes" and a \ backslash.
    ///
    /// In two paragraphs.
    #[inline]
    #[must_use]
    pub(crate) const fn constant(a: i32) -> i32 {
        a
    }

    fn r#type(r#fn: i32) -> i32 {
        r#fn
    }

    fn nothing_at_all() {}

    fn unit() -> () {}

    fn unnamed(_: i32, _: &Doc, _unused: f64) {}

    fn changed<'a>(mut n: i32, mut doc: &'a Doc, other: &'a Doc) -> i32 {
        if n == 0 {
            doc = other;
        }
        n += doc.0;
        n
    }

    fn lifetimes<'a, 'b>(&'a self, other: &'b Doc, text: &'a str) -> i32
    where
        'b: 'a,
    {
        self.0 + other.0 + text.len() as i32
    }

    fn typed_self(self: &Self) -> i32 {
        self.0
    }

    fn typed_exclusive_self(self: &mut Self) {
        self.0 += 1;
    }

    #[allow(deprecated, reason = "guests may still call it")]
    #[deprecated]
    fn old() {}

    #[host(name = "a name with spaces")]
    fn renamed() {}

    #[host(name = "")]
    fn nameless() {}

    #[cfg(any())]
    fn gone(_: NoSuchType) -> NoSuchType {}

    #[cfg(any())]
    fn either() -> NoSuchType {}

    #[cfg(not(any()))]
    fn either(#[cfg(any())] _gone: NoSuchType, #[cfg(not(any()))] there: i32) -> i32 {
        there
    }

    #[allow(dead_code, reason = "left out")]
    #[host(skip)]
    async fn not_for_guests<T>(self, _: T) -> &'static str {
        ""
    }

    #[allow(dead_code, reason = "left out")]
    #[host(skip)]
    unsafe extern "C" fn not_for_guests_either() {}
}

#[host_module(name = "env", link = "add_constants_to_linker")]
impl Env {
    #[host(global)]
    pub const LIMIT: u32 = 7;

    #[host(global, name = "half")]
    const HALF: f32 = 0.5;

    #[host(global)]
    #[cfg(any())]
    const GONE: NoSuchType = ();

    const PRIVATE: &'static str = "";

    fn length() -> u32 {
        Self::PRIVATE.len() as u32
    }
}

pub(crate) fn main() -> Result<()> {
    let mut linker: Linker<()> = Linker::new(&Engine::default());
    Doc::add_to_linker(&mut linker)?;
    Env::add_constants_to_linker(&mut linker)?;
    let names: Vec<_> = Doc::SIGNATURES.functions().iter().map(|it| it.name()).collect();
    assert_eq!(
        names,
        [
            "constant",
            "type",
            "nothingAtAll",
            "unit",
            "unnamed",
            "changed",
            "lifetimes",
            "typedSelf",
            "typedExclusiveSelf",
            "old",
            "a name with spaces",
            "",
            "either"
        ],
    );
    Ok(())
}
