//! `bool`, `char`, enums and converting types as fields and elements of a guest's objects: they keep their
//! values while objects move, and what a guest writes there is checked when it is read.

mod support;

use std::fmt::{self, Debug, Display};

use hostref::{AnyRef, GcArray, GcStruct, Result, RootScope, Rooted, Store, WasmTy, wasm_exports};
use support::{Mode, both_modes, instantiate};

both_modes! {
    fields_keep_their_values,
    elements_keep_their_values,
    fields_that_a_guest_spoils_are_named,
    elements_that_a_guest_spoils_are_named,
    a_number_that_a_guest_writes_is_a_value,
}

#[derive(WasmTy, Clone, Copy, Debug, PartialEq)]
#[repr(u8)]
enum Level {
    Low = 1,
    High = 200,
}

#[derive(WasmTy, Clone, Copy, Debug, PartialEq)]
#[repr(i64)]
enum Wide {
    Least = i64::MIN,
    Most = i64::MAX,
}

/// At most 100.
#[derive(WasmTy, Clone, Copy, Debug, PartialEq)]
#[wasm(try_from = "i32", into = "i32")]
struct Percent(u8);

#[derive(Debug, PartialEq)]
struct NoPercentage(i32);

impl Display for NoPercentage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} is not between 0 and 100", self.0)
    }
}

impl std::error::Error for NoPercentage {}

impl TryFrom<i32> for Percent {
    type Error = NoPercentage;

    fn try_from(number: i32) -> std::result::Result<Percent, NoPercentage> {
        let percent = u8::try_from(number).ok().filter(|percent| *percent <= 100);
        percent.map(Percent).ok_or(NoPercentage(number))
    }
}

impl From<Percent> for i32 {
    fn from(percent: Percent) -> i32 {
        percent.0.into()
    }
}

/// A newtype of a converting type.
#[derive(WasmTy, Clone, Copy, Debug, PartialEq)]
struct Share(Percent);

#[derive(GcStruct, Clone, Copy, Debug, PartialEq)]
struct Values {
    #[gc(mut)]
    flag: bool,
    #[gc(mut, packed)]
    bit: bool,
    #[gc(mut)]
    letter: char,
    #[gc(mut)]
    level: Level,
    #[gc(mut, packed)]
    small: Level,
    #[gc(mut)]
    wide: Wide,
    #[gc(mut)]
    percent: Percent,
    #[gc(mut)]
    share: Share,
}

#[derive(GcArray)]
#[gc(mut)]
struct Flags(Vec<bool>);

#[derive(GcArray)]
#[gc(mut, packed)]
struct Bits(Vec<bool>);

#[derive(GcArray)]
#[gc(mut)]
struct Letters(Vec<char>);

#[derive(GcArray)]
#[gc(mut)]
struct Levels(Vec<Level>);

#[derive(GcArray)]
#[gc(mut, packed)]
struct Smalls(Vec<Level>);

#[derive(GcArray)]
#[gc(mut)]
struct Wides(Box<[Wide]>);

#[derive(GcArray)]
#[gc(mut)]
struct Percents(Vec<Percent>);

#[derive(GcArray)]
#[gc(mut)]
struct Shares(Vec<Share>);

/// Values in an order that no pattern follows.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }

    fn flag(&mut self) -> bool {
        self.roll(2) == 1
    }

    fn letter(&mut self) -> char {
        ['\0', 'a', 'ß', '\u{d7ff}', '\u{e000}', '\u{10ffff}'][self.roll(6) as usize]
    }

    fn level(&mut self) -> Level {
        [Level::Low, Level::High][self.roll(2) as usize]
    }

    fn wide(&mut self) -> Wide {
        [Wide::Least, Wide::Most][self.roll(2) as usize]
    }

    fn percent(&mut self) -> Percent {
        Percent(self.roll(101) as u8)
    }

    fn values(&mut self) -> Values {
        Values {
            flag: self.flag(),
            bit: self.flag(),
            letter: self.letter(),
            level: self.level(),
            small: self.level(),
            wide: self.wide(),
            percent: self.percent(),
            share: Share(self.percent()),
        }
    }
}

/// Makes garbage, so that what lives is moved.
fn churn(store: &mut Store<()>, dice: &mut Dice) -> Result<()> {
    let mut scope = RootScope::new(&mut *store);
    for _ in 0..dice.roll(20) {
        ValuesRef::new(&mut scope, dice.values())?;
    }
    drop(scope);
    if dice.roll(16) == 0 {
        store.gc();
    }
    Ok(())
}

fn fields_keep_their_values(mode: Mode) -> Result<()> {
    let (store, dice) = (&mut mode.store(), &mut Dice(1));
    let mut model: Vec<Values> = (0..20).map(|_| dice.values()).collect();
    let handles: Vec<ValuesRef> =
        model.iter().map(|values| ValuesRef::new(&mut *store, *values)).collect::<Result<_>>()?;
    for _ in 0..500 {
        let at = dice.roll(20) as usize;
        let (handle, values) = (handles[at], &mut model[at]);
        match dice.roll(8) {
            0 => {
                values.flag = dice.flag();
                handle.set_flag(&mut *store, values.flag)?;
            }
            1 => {
                values.bit = dice.flag();
                handle.set_bit(&mut *store, values.bit)?;
            }
            2 => {
                values.letter = dice.letter();
                handle.set_letter(&mut *store, values.letter)?;
            }
            3 => {
                values.level = dice.level();
                handle.set_level(&mut *store, values.level)?;
            }
            4 => {
                values.small = dice.level();
                handle.set_small(&mut *store, values.small)?;
            }
            5 => {
                values.wide = dice.wide();
                handle.set_wide(&mut *store, values.wide)?;
            }
            6 => {
                values.percent = dice.percent();
                handle.set_percent(&mut *store, values.percent)?;
            }
            _ => {
                values.share = Share(dice.percent());
                handle.set_share(&mut *store, values.share)?;
            }
        }
        churn(store, dice)?;
        let at = dice.roll(20) as usize;
        assert_eq!(handles[at].load(&mut *store)?, model[at]);
        assert_eq!(handles[at].letter(&mut *store)?, model[at].letter);
        assert_eq!(handles[at].small(&mut *store)?, model[at].small);
    }
    Ok(())
}

/// Writes and reads elements of arrays of one type, while objects move.
macro_rules! elements {
    ($store:expr, $dice:expr, $array:ident, $handle:ident, |$die:ident| $value:expr) => {{
        let (store, $die): (&mut Store<()>, &mut Dice) = ($store, $dice);
        let mut model: Vec<_> = (0..33).map(|_| $value).collect();
        let handle = $handle::new(&mut *store, $array(model.clone().into()))?;
        for _ in 0..100 {
            let at = $die.roll(33) as usize;
            model[at] = $value;
            handle.set(&mut *store, at as u32, model[at])?;
            churn(store, $die)?;
            let at = $die.roll(33) as usize;
            assert_eq!(handle.get(&mut *store, at as u32)?, model[at]);
        }
        assert_eq!(handle.load(&mut *store)?.0.to_vec(), model);
    }};
}

fn elements_keep_their_values(mode: Mode) -> Result<()> {
    let (store, dice) = (&mut mode.store(), &mut Dice(2));
    elements!(store, dice, Flags, FlagsRef, |dice| dice.flag());
    elements!(store, dice, Bits, BitsRef, |dice| dice.flag());
    elements!(store, dice, Letters, LettersRef, |dice| dice.letter());
    elements!(store, dice, Levels, LevelsRef, |dice| dice.level());
    elements!(store, dice, Smalls, SmallsRef, |dice| dice.level());
    elements!(store, dice, Wides, WidesRef, |dice| dice.wide());
    elements!(store, dice, Percents, PercentsRef, |dice| dice.percent());
    elements!(store, dice, Shares, SharesRef, |dice| Share(dice.percent()));
    Ok(())
}

const SPOIL: &str = r#"(module
    (type $values (struct (field (mut i32)) (field (mut i8)) (field (mut i32)) (field (mut i32))
        (field (mut i8)) (field (mut i64)) (field (mut i32)) (field (mut i32))))
    (type $numbers (array (mut i32)))
    (type $bytes (array (mut i8)))
    (type $longs (array (mut i64)))
    (func (export "flag") (param (ref $values) i32) (struct.set $values 0 (local.get 0) (local.get 1)))
    (func (export "bit") (param (ref $values) i32) (struct.set $values 1 (local.get 0) (local.get 1)))
    (func (export "letter") (param (ref $values) i32) (struct.set $values 2 (local.get 0) (local.get 1)))
    (func (export "level") (param (ref $values) i32) (struct.set $values 3 (local.get 0) (local.get 1)))
    (func (export "small") (param (ref $values) i32) (struct.set $values 4 (local.get 0) (local.get 1)))
    (func (export "wide") (param (ref $values) i64) (struct.set $values 5 (local.get 0) (local.get 1)))
    (func (export "percent") (param (ref $values) i32) (struct.set $values 6 (local.get 0) (local.get 1)))
    (func (export "share") (param (ref $values) i32) (struct.set $values 7 (local.get 0) (local.get 1)))
    (func (export "set_number") (param (ref any) i32)
        (array.set $numbers (ref.cast (ref $numbers) (local.get 0)) (i32.const 2) (local.get 1)))
    (func (export "set_byte") (param (ref any) i32)
        (array.set $bytes (ref.cast (ref $bytes) (local.get 0)) (i32.const 2) (local.get 1)))
    (func (export "set_long") (param (ref any) i64)
        (array.set $longs (ref.cast (ref $longs) (local.get 0)) (i32.const 2) (local.get 1))))"#;

#[wasm_exports]
struct Spoil {
    flag: fn(values: ValuesRef, number: i32),
    bit: fn(values: ValuesRef, number: i32),
    letter: fn(values: ValuesRef, number: i32),
    level: fn(values: ValuesRef, number: i32),
    small: fn(values: ValuesRef, number: i32),
    wide: fn(values: ValuesRef, number: i64),
    percent: fn(values: ValuesRef, number: i32),
    share: fn(values: ValuesRef, number: i32),
    set_number: fn(array: Rooted<AnyRef>, number: i32),
    set_byte: fn(array: Rooted<AnyRef>, number: i32),
    set_long: fn(array: Rooted<AnyRef>, number: i64),
}

fn spoil(store: &mut Store<()>) -> Result<Spoil> {
    let instance = instantiate(store, SPOIL, &[])?;
    Spoil::new(store, &instance)
}

const SOUND: Values = Values {
    flag: true,
    bit: true,
    letter: 'x',
    level: Level::Low,
    small: Level::High,
    wide: Wide::Most,
    percent: Percent(100),
    share: Share(Percent(1)),
};

#[track_caller]
fn assert_refused<V: Debug>(result: Result<V>, text: &str) {
    assert_eq!(format!("{:#}", result.expect_err("no value")), text);
}

fn fields_that_a_guest_spoils_are_named(mode: Mode) -> Result<()> {
    let store = &mut mode.store();
    let guest = spoil(store)?;

    let values = ValuesRef::new(&mut *store, SOUND)?;
    guest.call_flag(&mut *store, values, 2)?;
    assert_refused(values.flag(&mut *store), "`flag`: expected a `bool`, 0 or 1, found 2");
    guest.call_bit(&mut *store, values, 255)?;
    assert_refused(values.bit(&mut *store), "`bit`: expected a `bool`, 0 or 1, found 255");
    for (number, shown) in
        [(0xd800, "55296"), (0xdfff, "57343"), (0x11_0000, "1114112"), (-1, "4294967295")]
    {
        guest.call_letter(&mut *store, values, number)?;
        let text = format!("`letter`: expected a `char`, a Unicode scalar value, found {shown}");
        assert_refused(values.letter(&mut *store), &text);
    }
    guest.call_level(&mut *store, values, 0)?;
    assert_refused(
        values.level(&mut *store),
        "`level`: 0 is no `Level`; it has 1 = Low, 200 = High",
    );
    guest.call_small(&mut *store, values, -1)?;
    assert_refused(
        values.small(&mut *store),
        "`small`: 255 is no `Level`; it has 1 = Low, 200 = High",
    );
    guest.call_wide(&mut *store, values, 0)?;
    assert_refused(
        values.wide(&mut *store),
        "`wide`: 0 is no `Wide`; it has -9223372036854775808 = Least, 9223372036854775807 = Most",
    );
    guest.call_percent(&mut *store, values, 101)?;
    let error = values.percent(&mut *store).expect_err("more than 100");
    assert_eq!(error.downcast_ref(), Some(&NoPercentage(101)));
    assert_refused::<()>(
        Err(error),
        "`percent`: no value of `gc_values::Percent`: 101 is not between 0 and 100",
    );
    guest.call_share(&mut *store, values, -1)?;
    assert_refused(
        values.share(&mut *store),
        "`share`: no value of `gc_values::Percent`: -1 is not between 0 and 100",
    );
    // The whole names the first that is wrong.
    assert_refused(values.load(&mut *store), "`flag`: expected a `bool`, 0 or 1, found 2");
    values.set_flag(&mut *store, false)?;
    assert_refused(values.load(&mut *store), "`bit`: expected a `bool`, 0 or 1, found 255");
    Ok(())
}

fn elements_that_a_guest_spoils_are_named(mode: Mode) -> Result<()> {
    let store = &mut mode.store();
    let guest = spoil(store)?;

    let flags = FlagsRef::new(&mut *store, Flags(vec![true; 4]))?;
    guest.call_set_number(&mut *store, flags.to_anyref(), -2)?;
    assert_refused(flags.get(&mut *store, 2), "`Flags[2]`: expected a `bool`, 0 or 1, found -2");
    assert!(flags.get(&mut *store, 3)?);

    let bits = BitsRef::new(&mut *store, Bits(vec![true; 4]))?;
    guest.call_set_byte(&mut *store, bits.to_anyref(), 3)?;
    assert_refused(bits.get(&mut *store, 2), "`Bits[2]`: expected a `bool`, 0 or 1, found 3");

    let letters = LettersRef::new(&mut *store, Letters(vec!['a'; 4]))?;
    guest.call_set_number(&mut *store, letters.to_anyref(), 0xd800)?;
    let text = "`Letters[2]`: expected a `char`, a Unicode scalar value, found 55296";
    assert_refused(letters.get(&mut *store, 2), text);
    assert_refused(letters.load(&mut *store).map(|letters| letters.0), text);

    let levels = LevelsRef::new(&mut *store, Levels(vec![Level::Low; 4]))?;
    guest.call_set_number(&mut *store, levels.to_anyref(), 256 + 1)?;
    let text = "`Levels[2]`: 257 is no `Level`; it has 1 = Low, 200 = High";
    assert_refused(levels.get(&mut *store, 2), text);

    let smalls = SmallsRef::new(&mut *store, Smalls(vec![Level::High; 4]))?;
    guest.call_set_byte(&mut *store, smalls.to_anyref(), 2)?;
    let text = "`Smalls[2]`: 2 is no `Level`; it has 1 = Low, 200 = High";
    assert_refused(smalls.load(&mut *store).map(|smalls| smalls.0), text);

    let wides = WidesRef::new(&mut *store, Wides(vec![Wide::Least; 4].into()))?;
    guest.call_set_long(&mut *store, wides.to_anyref(), 1)?;
    let text = "`Wides[2]`: 1 is no `Wide`; it has -9223372036854775808 = Least, 9223372036854775807 = Most";
    assert_refused(wides.get(&mut *store, 2), text);

    let percents = PercentsRef::new(&mut *store, Percents(vec![Percent(0); 4]))?;
    guest.call_set_number(&mut *store, percents.to_anyref(), 1000)?;
    let text = "`Percents[2]`: no value of `gc_values::Percent`: 1000 is not between 0 and 100";
    assert_refused(percents.get(&mut *store, 2), text);

    let shares = SharesRef::new(&mut *store, Shares(vec![Share(Percent(0)); 4]))?;
    guest.call_set_number(&mut *store, shares.to_anyref(), 101)?;
    let text = "`Shares[2]`: no value of `gc_values::Percent`: 101 is not between 0 and 100";
    assert_refused(shares.load(&mut *store).map(|shares| shares.0), text);
    shares.set(&mut *store, 2, Share(Percent(7)))?;
    assert_eq!(shares.load(&mut *store)?.0[2], Share(Percent(7)));
    Ok(())
}

fn a_number_that_a_guest_writes_is_a_value(mode: Mode) -> Result<()> {
    let store = &mut mode.store();
    let guest = spoil(store)?;
    let values = ValuesRef::new(&mut *store, SOUND)?;
    guest.call_flag(&mut *store, values, 0)?;
    // What is packed has 8 bits: the guest wrote 1.
    guest.call_bit(&mut *store, values, 0x101)?;
    guest.call_letter(&mut *store, values, 0x10_ffff)?;
    guest.call_level(&mut *store, values, 200)?;
    guest.call_small(&mut *store, values, 1)?;
    guest.call_wide(&mut *store, values, i64::MIN)?;
    guest.call_percent(&mut *store, values, 50)?;
    guest.call_share(&mut *store, values, 0)?;
    assert_eq!(
        values.load(&mut *store)?,
        Values {
            flag: false,
            bit: true,
            letter: '\u{10ffff}',
            level: Level::High,
            small: Level::Low,
            wide: Wide::Least,
            percent: Percent(50),
            share: Share(Percent(0)),
        }
    );
    Ok(())
}
