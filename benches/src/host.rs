//! What the host of all engines has: objects for guests, the data of a store, and the work of its
//! functions, which each engine's file hands to guests in that engine's way.

use std::any::Any;
use std::hint::black_box;

/// An object with one number.
pub struct Cell(pub i32);

/// An object with text.
pub struct Text(pub String);

/// What a store's data holds.
#[derive(Default)]
pub struct State {
    pub count: i64,
}

impl Text {
    /// The text of a number, one of two.
    pub fn of(number: i32) -> Text {
        Text(if number == 0 { "Hello, " } else { "World!" }.to_owned())
    }

    pub fn concat(&self, other: &Text) -> Text {
        let mut both = String::with_capacity(self.0.len() + other.0.len());
        both.push_str(&self.0);
        both.push_str(&other.0);
        Text(both)
    }

    pub fn length(&self) -> i32 {
        self.0.len() as i32
    }
}

pub fn mix6(a: i32, b: i64, c: f32, d: f64, e: i32, f: i64) -> i64 {
    i64::from(a).wrapping_add(b).wrapping_add(c as i64 + d as i64).wrapping_add(i64::from(e) + f)
}

#[expect(clippy::too_many_arguments, reason = "their cost is the question")]
#[rustfmt::skip]
pub fn sum12(
    a: i32, b: i32, c: i32, d: i32, e: i32, f: i32,
    g: i32, h: i32, i: i32, j: i32, k: i32, l: i32,
) -> i32 {
    [b, c, d, e, f, g, h, i, j, k, l].into_iter().fold(a, i32::wrapping_add)
}

/// What a host does that looks at a text.
pub fn weigh(text: &str) -> i32 {
    text.len() as i32 + i32::from(text.as_bytes()[0])
}

/// The loops over host functions as Rust, each call through a pointer that the compiler cannot see through,
/// each object behind the pointer and the type check that Rust has for it.
pub mod native {
    use super::{Any, Cell, Text, black_box, mix6, weigh};

    pub fn nop(turns: u32) -> u32 {
        let call: fn() = black_box(|| ());
        (0..turns).for_each(|_| call());
        turns
    }

    pub fn add(turns: u32) -> u32 {
        let call: fn(i32, i32) -> i32 = black_box(i32::wrapping_add);
        (1..=turns).rev().fold(0, |sum, n| call(sum, n as i32)) as u32
    }

    pub fn mix(turns: u32) -> u32 {
        let call: fn(i32, i64, f32, f64, i32, i64) -> i64 = black_box(mix6);
        (1..=turns).rev().fold(0, |sum, n| call(n as i32, sum, 1.0, 2.0, 3, 4)) as u32
    }

    pub fn read(turns: u32) -> u32 {
        let object: Box<dyn Any + Send + Sync> = black_box(Box::new(Cell(7)));
        let call: fn(&(dyn Any + Send + Sync)) -> i32 = black_box(value);
        (0..turns).fold(0_i32, |sum, _| sum.wrapping_add(call(&*object))) as u32
    }

    pub fn read2(turns: u32) -> u32 {
        let a: Box<dyn Any + Send + Sync> = black_box(Box::new(Cell(7)));
        let b: Box<dyn Any + Send + Sync> = black_box(Box::new(Cell(9)));
        let call: fn(&(dyn Any + Send + Sync)) -> i32 = black_box(value);
        (0..turns).fold(0_i32, |sum, _| sum.wrapping_add(call(&*a) + call(&*b))) as u32
    }

    fn value(object: &(dyn Any + Send + Sync)) -> i32 {
        object.downcast_ref::<Cell>().expect("a cell").0
    }

    pub fn fresh(turns: u32) -> u32 {
        let call: fn(i32) -> Box<dyn Any + Send + Sync> = black_box(|value| Box::new(Cell(value)));
        (1..=turns).rev().for_each(|n| drop(call(n as i32)));
        turns
    }

    pub fn concat(turns: u32) -> u32 {
        let (a, b) = (Text::of(0), Text::of(1));
        let call: fn(&Text, &Text) -> Box<dyn Any + Send + Sync> =
            black_box(|a, b| Box::new(a.concat(b)));
        let last = (0..turns).fold(None, |_, _| Some(call(&a, &b))).expect("at least one turn");
        last.downcast_ref::<Text>().expect("a text").length() as u32
    }

    pub fn utf8(turns: u32) -> u32 {
        let bytes = black_box("Grüße aus dem Speicher des Gastes".as_bytes());
        let call: fn(&[u8]) -> i32 =
            black_box(|bytes| weigh(std::str::from_utf8(bytes).expect("text")));
        (0..turns).fold(0_i32, |sum, _| sum.wrapping_add(call(bytes))) as u32
    }
}
