//! Values, types and outcomes in terms of neither engine, so that two of them can be compared.

use std::fmt;

/// The type of a value, as far as it decides which arguments can be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Type {
    I32,
    I64,
    F32,
    F64,
    V128,
    /// References, and whether null is among them.
    Ref(Referent, bool),
}

/// What a reference refers to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Referent {
    /// Host objects.
    Extern,
    /// Functions, of which these are exported.
    Exported(Vec<String>),
    /// Anything that the host can hold only as null.
    Other,
}

/// A value as the host makes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Arg {
    I32(u32),
    I64(u64),
    F32(u32),
    F64(u64),
    V128(u128),
    /// The null of the type that is asked for.
    Null,
    /// A new host object with this number.
    Host(u32),
    /// The function exported under this name.
    Func(String),
}

/// A value as the host finds it. Floats that are not numbers are all alike.
#[derive(Clone, PartialEq, Eq)]
pub enum Value {
    I32(u32),
    I64(u64),
    F32(u32),
    F64(u64),
    V128(u128),
    Null,
    /// The host object with this number.
    Host(u32),
    /// The function first exported under this name, or one that is not exported.
    Func(Option<String>),
    /// An exception.
    Exception(Box<Exception>),
    /// A reference about which nothing else is compared.
    Other(&'static str),
}

/// An exception: its tag by its first exported name, and its payload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exception {
    pub tag: Option<String>,
    pub fields: Vec<Value>,
}

/// How an operation ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    Returned(Vec<Value>),
    /// The name of the trap in the specification's tests.
    Trapped(&'static str),
    Threw(Exception),
    /// The error of a host function, which both sides word alike.
    HostError(String),
    /// The engine refused; each words it in its own way.
    Refused(Text),
    /// The engine has a bug.
    Panicked(Text),
}

/// Text that is shown and not compared.
#[derive(Clone)]
pub struct Text(pub String);

impl PartialEq for Text {
    fn eq(&self, _: &Text) -> bool {
        true
    }
}

impl Eq for Text {}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl Value {
    /// An `f32`. Its bits are kept unless it is not a number.
    pub fn f32(bits: u32) -> Value {
        Value::F32(if f32::from_bits(bits).is_nan() { f32::NAN.to_bits() } else { bits })
    }

    /// As [`Value::f32`].
    pub fn f64(bits: u64) -> Value {
        Value::F64(if f64::from_bits(bits).is_nan() { f64::NAN.to_bits() } else { bits })
    }
}

impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::I32(value) => write!(f, "i32:{value:#x}"),
            Value::I64(value) => write!(f, "i64:{value:#x}"),
            Value::F32(bits) => write!(f, "f32:{:?}", f32::from_bits(*bits)),
            Value::F64(bits) => write!(f, "f64:{:?}", f64::from_bits(*bits)),
            Value::V128(bits) => write!(f, "v128:{bits:#x}"),
            Value::Null => f.write_str("null"),
            Value::Host(number) => write!(f, "host object {number}"),
            Value::Func(Some(name)) => write!(f, "func {name}"),
            Value::Func(None) => f.write_str("func, not exported"),
            Value::Exception(exception) => exception.fmt(f),
            Value::Other(what) => f.write_str(what),
        }
    }
}
