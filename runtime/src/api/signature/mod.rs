//! Signatures of a host module as constants: what `SIGNATURES` of a `#[host_module]` block is. Its
//! forms for guest authors are in the files beside it.

mod c_header;
mod identifiers;
pub(crate) mod names;
mod rust_guest;
mod type_definitions;
mod wat;

use std::fmt;

use super::gc_object::{GcType, GcTypeKey};

/// The functions and globals of a `#[host_module]` block as a guest sees them: the constant
/// `SIGNATURES` beside the block's `add_to_linker`.
///
/// The Wasm types are those of the Rust types, whatever these are called in the source. For the
/// authors of guests there are the declarations in their language.
///
/// ```
/// use hostref::{New, SignatureType, host_module};
///
/// struct Counter(i64);
///
/// #[host_module(name = "counter", receiver = "object")]
/// impl Counter {
///     /// Makes a counter.
///     fn new(start: i64) -> New<Counter> {
///         New(Counter(start))
///     }
///
///     /// Adds `by` and returns the sum.
///     fn add(&mut self, by: u32) -> i64 {
///         self.0 += i64::from(by);
///         self.0
///     }
/// }
///
/// let add = Counter::SIGNATURES.function("add").unwrap();
/// assert_eq!(add.params()[1].types(), [SignatureType::I32]);
/// assert_eq!(add.to_string(), "(func (param (ref extern) i32) (result i64))");
/// assert_eq!(Counter::SIGNATURES.to_wat(), r#"
/// ;; Makes a counter.
/// (import "counter" "new" (func $new (param $start i64) (result externref)))
/// ;; Adds `by` and returns the sum.
/// (import "counter" "add" (func $add (param $self externref) (param $by i32) (result i64)))
/// "#.trim_start());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Signatures {
    module: &'static str,
    functions: &'static [FunctionSignature],
    globals: &'static [GlobalSignature],
}

/// One function in [`Signatures`]. Its text form is a Wasm function type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FunctionSignature {
    name: &'static str,
    docs: &'static str,
    params: &'static [ParamSignature],
    results: &'static [SignatureType],
}

/// One global in [`Signatures`], which no guest can change. Its text form is a Wasm global type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GlobalSignature {
    name: &'static str,
    docs: &'static str,
    /// One type.
    types: &'static [SignatureType],
}

/// One Rust parameter of a [`FunctionSignature`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ParamSignature {
    name: &'static str,
    types: &'static [SignatureType],
    in_memory: bool,
}

/// A Wasm type that is known at compile time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SignatureType {
    /// 32-bit integers.
    I32,
    /// 64-bit integers.
    I64,
    /// 32-bit floats.
    F32,
    /// 64-bit floats.
    F64,
    /// 128-bit vectors.
    V128,
    /// References.
    Ref {
        /// Whether null is among them.
        nullable: bool,
        /// What they refer to, as the text format calls it: `"extern"`, `"func"` and so on.
        heap: &'static str,
    },
    /// References to structs or arrays of a type that a Rust type declares.
    Declared {
        /// Whether null is among them.
        nullable: bool,
        /// The type.
        ty: DeclaredType,
    },
}

/// A type of structs or arrays that a Rust type declares, by `#[derive(GcStruct)]` or
/// `#[derive(GcArray)]`. Two are equal if the same Rust type declares them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct DeclaredType(&'static GcTypeKey);

impl DeclaredType {
    const fn of<T: GcType>() -> DeclaredType {
        DeclaredType(GcTypeKey::of::<T>())
    }

    /// The name of the Rust type after a `$`, as identifiers of the text format begin.
    pub const fn name(&self) -> &'static str {
        self.0.symbol()
    }
}

impl Signatures {
    #[doc(hidden)]
    pub const fn new(
        module: &'static str,
        functions: &'static [FunctionSignature],
        globals: &'static [GlobalSignature],
    ) -> Signatures {
        Signatures { module, functions, globals }
    }

    /// The name of the module that guests import from.
    pub const fn module(&self) -> &'static str {
        self.module
    }

    /// The functions, in the order of the block.
    pub const fn functions(&self) -> &'static [FunctionSignature] {
        self.functions
    }

    /// The function that guests call `name`.
    pub fn function(&self, name: &str) -> Option<&'static FunctionSignature> {
        self.functions.iter().find(|function| function.name == name)
    }

    /// The constants with `#[host(global)]`, in the order of the block.
    ///
    /// ```
    /// # use hostref::{SignatureType, host_module};
    /// struct Math;
    ///
    /// #[host_module(name = "math")]
    /// impl Math {
    ///     /// Half a turn.
    ///     #[host(global)]
    ///     const PI: f64 = std::f64::consts::PI;
    /// }
    ///
    /// assert_eq!(Math::SIGNATURES.globals()[0].ty(), SignatureType::F64);
    /// assert_eq!(Math::SIGNATURES.to_wat(), r#"
    /// ;; Half a turn.
    /// (import "math" "PI" (global $PI f64))
    /// "#.trim_start());
    /// ```
    pub const fn globals(&self) -> &'static [GlobalSignature] {
        self.globals
    }

    /// The imports in the text format, a line for each below its documentation, to be pasted into a
    /// `(module ..)`. References are nullable, as most compilers make them; the boundary refuses null
    /// where the Rust type does.
    ///
    /// Before them come the definitions of the types that Rust types declare, with all that they
    /// mention. Two Rust types of one name get different ones.
    ///
    /// ```
    /// # use hostref::{GcStruct, host_module};
    /// #[derive(GcStruct)]
    /// struct Point {
    ///     x: f64,
    ///     #[gc(mut)]
    ///     label: u16,
    /// }
    ///
    /// struct Plot;
    ///
    /// #[host_module(name = "plot")]
    /// impl Plot {
    ///     fn show(point: PointRef) {}
    /// }
    ///
    /// assert_eq!(Plot::SIGNATURES.to_wat(), r#"
    /// (type $Point (struct (field $x f64) (field $label (mut i16))))
    /// (import "plot" "show" (func $show (param $point (ref null $Point))))
    /// "#.trim_start());
    /// ```
    ///
    /// # Panics
    ///
    /// As linking does, if types mention each other that do not say that they are one recursion group.
    pub fn to_wat(&self) -> String {
        Signatures::wat_of([*self])
    }

    /// The imports from several modules in one text, as [`to_wat`](Signatures::to_wat) writes those from
    /// one. Each type is defined once, also when several blocks mention it, and no two functions have the
    /// same identifier: the texts of the blocks one after the other would not parse then.
    ///
    /// ```
    /// # use hostref::{GcStruct, Signatures, host_module};
    /// #[derive(GcStruct)]
    /// struct Point {
    ///     x: f64,
    /// }
    ///
    /// struct Plot;
    ///
    /// #[host_module(name = "plot")]
    /// impl Plot {
    ///     fn show(point: PointRef) {}
    /// }
    ///
    /// struct Log;
    ///
    /// #[host_module(name = "log")]
    /// impl Log {
    ///     fn show(point: PointRef) {}
    /// }
    ///
    /// assert_eq!(Signatures::wat_of([Plot::SIGNATURES, Log::SIGNATURES]), r#"
    /// (type $Point (struct (field $x f64)))
    /// (import "plot" "show" (func $show (param $point (ref null $Point))))
    /// (import "log" "show" (func $show_2 (param $point (ref null $Point))))
    /// "#.trim_start());
    /// ```
    ///
    /// # Panics
    ///
    /// As [`to_wat`](Signatures::to_wat).
    pub fn wat_of(all: impl IntoIterator<Item = Signatures>) -> String {
        wat::write(all)
    }

    /// The imports as declarations for a guest in Rust: an `unsafe extern` block. A function that
    /// Rust cannot declare, for it has references or several results, is a comment that says so, and so
    /// is a global.
    ///
    /// ```
    /// # use hostref::host_module;
    /// struct Log;
    ///
    /// #[host_module(name = "log", rename_all = "kebab-case")]
    /// impl Log {
    ///     /// Writes a number.
    ///     fn write_number(number: u64) {}
    /// }
    ///
    /// assert_eq!(Log::SIGNATURES.to_rust_guest(), r#"
    /// #[link(wasm_import_module = "log")]
    /// unsafe extern "C" {
    ///     /// Writes a number.
    ///     #[link_name = "write-number"]
    ///     pub safe fn write_number(number: i64);
    /// }
    /// "#.trim_start());
    /// ```
    pub fn to_rust_guest(&self) -> String {
        rust_guest::write(self)
    }

    /// The imports as a header for a guest in C, compiled by clang. References to host objects are
    /// `__externref_t`, which takes `-mreference-types`; a function that C cannot declare is a comment
    /// that says so, and so is a global.
    pub fn to_c_header(&self) -> String {
        c_header::write(self)
    }
}

impl FunctionSignature {
    #[doc(hidden)]
    pub const fn new(
        name: &'static str,
        docs: &'static str,
        params: &'static [ParamSignature],
        results: &'static [SignatureType],
    ) -> FunctionSignature {
        FunctionSignature { name, docs, params, results }
    }

    /// The name that guests import.
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// The documentation, line by line; empty when there is none.
    pub const fn docs(&self) -> &'static str {
        self.docs
    }

    /// The Rust parameters, `self` included when it is one for the guest. One may stand for no Wasm
    /// parameter or for two.
    pub const fn params(&self) -> &'static [ParamSignature] {
        self.params
    }

    /// The Wasm types of the results.
    pub const fn results(&self) -> &'static [SignatureType] {
        self.results
    }

    /// The Wasm parameters, in order.
    fn wasm_params(&self) -> impl Iterator<Item = WasmParam> {
        self.params.iter().flat_map(|param| {
            param.types.iter().enumerate().map(|(position, ty)| match position {
                0 => WasmParam::new(param.name.to_owned(), *ty, param.in_memory, Role::Address),
                _ => {
                    let name = format!("{}_len", param.name);
                    WasmParam::new(name, *ty, param.in_memory, Role::Len)
                }
            })
        })
    }
}

impl GlobalSignature {
    #[doc(hidden)]
    pub const fn new(
        name: &'static str,
        docs: &'static str,
        types: &'static [SignatureType],
    ) -> GlobalSignature {
        GlobalSignature { name, docs, types }
    }

    /// The name that guests import.
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// The documentation, line by line; empty when there is none.
    pub const fn docs(&self) -> &'static str {
        self.docs
    }

    /// The Wasm type of the value.
    pub const fn ty(&self) -> SignatureType {
        self.types[0]
    }
}

/// One Wasm parameter.
struct WasmParam {
    name: String,
    ty: SignatureType,
    role: Role,
}

/// What a Wasm parameter is to the guest.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Role {
    Value,
    Address,
    Len,
}

impl WasmParam {
    fn new(name: String, ty: SignatureType, in_memory: bool, role: Role) -> WasmParam {
        WasmParam { name, ty, role: if in_memory { role } else { Role::Value } }
    }
}

impl ParamSignature {
    #[doc(hidden)]
    pub const fn new(
        name: &'static str,
        types: &'static [SignatureType],
        in_memory: bool,
    ) -> ParamSignature {
        ParamSignature { name, types, in_memory }
    }

    #[doc(hidden)]
    pub const fn called(self, name: &'static str) -> ParamSignature {
        ParamSignature { name, ..self }
    }

    /// The name in Rust.
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// Whether it is an address in the guest's memory, alone or with a length after it. In a memory with
    /// 64-bit addresses both are `i64`.
    pub const fn is_in_memory(&self) -> bool {
        self.in_memory
    }

    /// The Wasm types.
    pub const fn types(&self) -> &'static [SignatureType] {
        self.types
    }
}

impl fmt::Display for FunctionSignature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(func")?;
        list(f, "param", self.wasm_params().map(|param| param.ty))?;
        list(f, "result", self.results.iter().copied())?;
        f.write_str(")")
    }
}

impl fmt::Display for GlobalSignature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "(global {})", self.ty())
    }
}

fn list(
    f: &mut fmt::Formatter<'_>,
    keyword: &str,
    mut types: impl Iterator<Item = SignatureType>,
) -> fmt::Result {
    let Some(first) = types.next() else { return Ok(()) };
    write!(f, " ({keyword} {first}")?;
    types.try_for_each(|ty| write!(f, " {ty}"))?;
    f.write_str(")")
}

impl fmt::Display for SignatureType {
    /// In the notation of the text format.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            SignatureType::I32 => f.write_str("i32"),
            SignatureType::I64 => f.write_str("i64"),
            SignatureType::F32 => f.write_str("f32"),
            SignatureType::F64 => f.write_str("f64"),
            SignatureType::V128 => f.write_str("v128"),
            SignatureType::Ref { nullable: false, heap } => write!(f, "(ref {heap})"),
            SignatureType::Ref { heap: "none", .. } => f.write_str("nullref"),
            SignatureType::Ref { heap: "noextern", .. } => f.write_str("nullexternref"),
            SignatureType::Ref { heap: "nofunc", .. } => f.write_str("nullfuncref"),
            SignatureType::Ref { heap: "noexn", .. } => f.write_str("nullexnref"),
            SignatureType::Ref { heap, .. } => write!(f, "{heap}ref"),
            SignatureType::Declared { nullable, ty } => {
                let null = if nullable { "null " } else { "" };
                write!(f, "(ref {null}{})", ty.name())
            }
        }
    }
}
