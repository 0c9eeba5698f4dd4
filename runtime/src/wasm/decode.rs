//! Bytes to [`ModuleInfo`]: reads and validates every section. Function bodies are only handed
//! out: `compile` validates each while it translates it.

use std::collections::HashMap;

use anyhow::bail;
use wasmparser::{
    BranchHintSectionReader, DataKind, ElementItems as ElementItemsReader, ElementKind,
    ExternalKind, FuncToValidate, FuncValidator, FuncValidatorAllocations, FunctionBody,
    KnownCustom, Name, OperatorsReader, Parser, Payload, TableInit, TypeRef, ValidPayload,
    Validator, ValidatorResources, WasmFeatures,
};

use super::const_expr::{ConstExpr, ConstOp};
use super::convert;
use super::index::{
    FuncIndex, FuncRefIndex, GlobalIndex, MemoryIndex, TableIndex, TagIndex, TypeIndex,
};
use super::module::{
    BranchHint, DataSegment, ElementItems, ElementSegment, EntityIndex, Import, ModuleInfo,
    SegmentMode, Table,
};
use super::types::{HeapType, RefType};
use crate::Result;

/// The features whose types have a counterpart in [`super::types`]. What of them an engine accepts
/// is its own business; it never asks for more.
pub(crate) const SUPPORTED: WasmFeatures = WasmFeatures::WASM3
    .union(WasmFeatures::WIDE_ARITHMETIC)
    .union(WasmFeatures::CUSTOM_PAGE_SIZES)
    .union(WasmFeatures::THREADS)
    .union(WasmFeatures::COMPACT_IMPORTS);

/// A module whose sections are valid, with its function bodies, not validated yet.
pub(crate) struct Decoded<'a> {
    pub(crate) info: ModuleInfo,
    /// The defined functions, in order.
    pub(crate) bodies: Vec<(FuncToValidate<ValidatorResources>, FunctionBody<'a>)>,
}

/// Decodes `wasm` and validates everything but the function bodies.
///
/// # Errors
///
/// If the module is malformed, invalid, or uses a feature that is not in `features`. The text
/// carries the byte offset; the error downcasts to [`wasmparser::Error`].
///
/// # Panics
///
/// If `features` is not within [`SUPPORTED`].
pub(crate) fn decode<'a>(wasm: &'a [u8], features: WasmFeatures) -> Result<Decoded<'a>> {
    assert!(SUPPORTED.contains(features), "an engine's features are within SUPPORTED");
    let mut validator = Validator::new_with_features(features);
    let mut parser = Parser::new(0);
    parser.set_features(features);
    let mut decoder = Decoder::default();
    let mut bodies = Vec::new();
    for payload in parser.parse_all(wasm) {
        let payload = payload?;
        if let ValidPayload::Func(function, body) = validator.payload(&payload)? {
            bodies.push((function, body));
        }
        decoder.payload(&payload)?;
    }
    Ok(Decoded { info: decoder.finish(), bodies })
}

/// Validates `wasm`, bodies included.
///
/// # Errors
///
/// If the module is malformed, invalid, or uses a feature that is not in `features`.
pub(crate) fn validate(wasm: &[u8], features: WasmFeatures) -> Result<()> {
    let mut validator = Validator::new_with_features(features);
    let mut parser = Parser::new(0);
    parser.set_features(features);
    let mut allocations = FuncValidatorAllocations::default();
    for payload in parser.parse_all(wasm) {
        if let ValidPayload::Func(function, body) = validator.payload(&payload?)? {
            let mut validator = function.into_validator(allocations);
            validate_body(&mut validator, &body, features)?;
            allocations = validator.into_allocations();
        }
    }
    Ok(())
}

fn validate_body(
    validator: &mut FuncValidator<ValidatorResources>,
    body: &FunctionBody<'_>,
    features: WasmFeatures,
) -> Result<()> {
    let mut reader = body.get_binary_reader();
    reader.set_features(features);
    validator.read_locals(&mut reader)?;
    let mut operators = OperatorsReader::new(reader);
    while !operators.eof() {
        let (operator, offset) = operators.read_with_offset()?;
        validator.op(offset, &operator)?;
        check_stack(offset, validator.operand_stack_height())?;
    }
    Ok(operators.finish()?)
}

/// Values that may be on the operand stack of one function. An operator of three bytes may push a
/// thousand, also where control never gets, and validation keeps them all.
const MAX_STACK: u32 = 1 << 22;

/// Bounds the memory of validation, after each operator.
///
/// # Errors
///
/// If more than [`MAX_STACK`] values are on the operand stack.
pub(crate) fn check_stack(offset: u64, height: u32) -> Result<()> {
    if height > MAX_STACK {
        bail!("more than {MAX_STACK} values on the operand stack (at offset {offset:#x})");
    }
    Ok(())
}

/// Collects what the sections declare. Every payload it sees is validated.
#[derive(Default)]
struct Decoder {
    info: ModuleInfo,
}

impl Decoder {
    fn payload(&mut self, payload: &Payload<'_>) -> Result<()> {
        match payload {
            Payload::TypeSection(section) => self.types(section.clone())?,
            Payload::ImportSection(section) => self.imports(section.clone())?,
            Payload::FunctionSection(section) => {
                for ty in section.clone() {
                    self.info.functions.push(TypeIndex(ty?));
                }
            }
            Payload::TableSection(section) => self.tables(section.clone())?,
            Payload::MemorySection(section) => {
                for ty in section.clone() {
                    self.info.memories.push(convert::memory_type(ty?));
                }
            }
            Payload::TagSection(section) => {
                for ty in section.clone() {
                    self.info.tags.push(TypeIndex(ty?.func_type_idx));
                }
            }
            Payload::GlobalSection(section) => self.globals(section.clone())?,
            Payload::ExportSection(section) => self.exports(section.clone())?,
            Payload::StartSection { func, .. } => {
                self.info.start = Some(FuncIndex(*func));
                self.observe(FuncIndex(*func));
            }
            Payload::ElementSection(section) => self.elements(section.clone())?,
            Payload::CodeSectionEntry(body) => self.info.bodies.push(byte_range(&body.range())),
            Payload::DataSection(section) => self.data(section.clone())?,
            Payload::CustomSection(section) => match section.as_known() {
                KnownCustom::Name(names) => self.names(names),
                KnownCustom::BranchHints(hints) if self.info.bodies.is_empty() => {
                    self.info.branch_hints = branch_hints(hints).unwrap_or_default();
                }
                _ => {}
            },
            _ => {}
        }
        Ok(())
    }

    fn types(&mut self, section: wasmparser::TypeSectionReader<'_>) -> Result<()> {
        for group in section {
            let start = TypeIndex::new(self.info.types.len()).0;
            self.info.types.extend(group?.types().map(convert::sub_type));
            self.info.groups.push(start..TypeIndex::new(self.info.types.len()).0);
        }
        Ok(())
    }

    fn imports(&mut self, section: wasmparser::ImportSectionReader<'_>) -> Result<()> {
        for import in section.into_imports() {
            let import = import?;
            let entity = self.imported(import.ty)?;
            self.info.imports.push(Import {
                module: import.module.into(),
                name: import.name.into(),
                entity,
            });
        }
        Ok(())
    }

    /// Adds an imported entity to its index space.
    fn imported(&mut self, ty: TypeRef) -> Result<EntityIndex> {
        let info = &mut self.info;
        Ok(match ty {
            TypeRef::Func(ty) => {
                info.functions.push(TypeIndex(ty));
                info.imported_functions += 1;
                EntityIndex::Func(FuncIndex::new(info.functions.len() - 1))
            }
            TypeRef::Table(ty) => {
                info.tables.push(Table { ty: convert::table_type(ty), init: None });
                info.imported_tables += 1;
                EntityIndex::Table(TableIndex::new(info.tables.len() - 1))
            }
            TypeRef::Memory(ty) => {
                info.memories.push(convert::memory_type(ty));
                info.imported_memories += 1;
                EntityIndex::Memory(MemoryIndex::new(info.memories.len() - 1))
            }
            TypeRef::Global(ty) => {
                info.globals.push(convert::global_type(ty));
                info.imported_globals += 1;
                EntityIndex::Global(GlobalIndex::new(info.globals.len() - 1))
            }
            TypeRef::Tag(ty) => {
                info.tags.push(TypeIndex(ty.func_type_idx));
                info.imported_tags += 1;
                EntityIndex::Tag(TagIndex::new(info.tags.len() - 1))
            }
            TypeRef::FuncExact(_) => bail!("imports of an exact function type are not supported"),
        })
    }

    fn tables(&mut self, section: wasmparser::TableSectionReader<'_>) -> Result<()> {
        for table in section {
            let table = table?;
            let init = match &table.init {
                TableInit::RefNull => None,
                TableInit::Expr(expr) => Some(self.const_expr(expr)?),
            };
            self.info.tables.push(Table { ty: convert::table_type(table.ty), init });
        }
        Ok(())
    }

    fn globals(&mut self, section: wasmparser::GlobalSectionReader<'_>) -> Result<()> {
        for global in section {
            let global = global?;
            let init = self.const_expr(&global.init_expr)?;
            self.info.globals.push(convert::global_type(global.ty));
            self.info.global_inits.push(init);
        }
        Ok(())
    }

    fn exports(&mut self, section: wasmparser::ExportSectionReader<'_>) -> Result<()> {
        for export in section {
            let export = export?;
            let entity = match export.kind {
                ExternalKind::Func | ExternalKind::FuncExact => {
                    let func = FuncIndex(export.index);
                    self.observe(func);
                    EntityIndex::Func(func)
                }
                ExternalKind::Table => EntityIndex::Table(TableIndex(export.index)),
                ExternalKind::Memory => EntityIndex::Memory(MemoryIndex(export.index)),
                ExternalKind::Global => EntityIndex::Global(GlobalIndex(export.index)),
                ExternalKind::Tag => EntityIndex::Tag(TagIndex(export.index)),
            };
            self.info.exports.push((export.name.into(), entity));
        }
        Ok(())
    }

    fn elements(&mut self, section: wasmparser::ElementSectionReader<'_>) -> Result<()> {
        for element in section {
            let element = element?;
            let mode = match &element.kind {
                ElementKind::Passive => SegmentMode::Passive,
                ElementKind::Declared => SegmentMode::Declared,
                ElementKind::Active { table_index, offset_expr } => SegmentMode::Active {
                    target: TableIndex(table_index.unwrap_or(0)),
                    offset: self.const_expr(offset_expr)?.into(),
                },
            };
            let (ty, items) = self.element_items(&element.items)?;
            self.info.elements.push(ElementSegment { mode, ty, items });
        }
        Ok(())
    }

    fn element_items(
        &mut self,
        items: &ElementItemsReader<'_>,
    ) -> Result<(RefType<TypeIndex>, ElementItems)> {
        Ok(match items {
            ElementItemsReader::Functions(functions) => {
                let functions = functions
                    .clone()
                    .into_iter()
                    .map(|func| Ok(FuncIndex(func?)))
                    .collect::<Result<Box<[FuncIndex]>>>()?;
                for func in &functions {
                    self.observe(*func);
                }
                let ty = RefType { nullable: false, heap: HeapType::Func };
                (ty, ElementItems::Functions(functions))
            }
            ElementItemsReader::Expressions(ty, exprs) => {
                let exprs = exprs
                    .clone()
                    .into_iter()
                    .map(|expr| self.const_expr(&expr?))
                    .collect::<Result<Box<[ConstExpr]>>>()?;
                (convert::ref_type(*ty), ElementItems::Expressions(exprs))
            }
        })
    }

    fn data(&mut self, section: wasmparser::DataSectionReader<'_>) -> Result<()> {
        for segment in section {
            let segment = segment?;
            let mode = match &segment.kind {
                DataKind::Passive => SegmentMode::Passive,
                DataKind::Active { memory_index, offset_expr } => SegmentMode::Active {
                    target: MemoryIndex(*memory_index),
                    offset: self.const_expr(offset_expr)?.into(),
                },
            };
            // The content is what a segment ends with.
            let end = byte_range(&segment.range).end;
            self.info.data.push(DataSegment { mode, bytes: end - segment.data.len()..end });
        }
        Ok(())
    }

    fn const_expr(&mut self, expr: &wasmparser::ConstExpr<'_>) -> Result<ConstExpr> {
        let expr = convert::const_expr(expr)?;
        for op in &expr.ops {
            if let ConstOp::RefFunc(func) = op {
                self.observe(*func);
            }
        }
        Ok(expr)
    }

    /// Gives `func` a slot for its record, if it has none. Every `ref.func` in a body names a
    /// function that comes here: validation demands that it be declared outside of bodies.
    fn observe(&mut self, func: FuncIndex) {
        let info = &mut self.info;
        // All functions are known: the sections that may name one follow the function section.
        info.func_refs.resize(info.functions.len(), None);
        let slot = &mut info.func_refs[func.index()];
        if slot.is_none() {
            *slot = Some(FuncRefIndex(info.func_ref_count));
            info.func_ref_count += 1;
        }
    }

    /// Reads what it can of the name section: a broken one is no error.
    fn names(&mut self, names: wasmparser::NameSectionReader<'_>) {
        for name in names.map_while(Result::ok) {
            match name {
                Name::Module { name, .. } => self.info.name = Some(name.into()),
                Name::Function(functions) => self.info.function_names.extend(
                    functions
                        .map_while(Result::ok)
                        .map(|naming| (FuncIndex(naming.index), naming.name.into())),
                ),
                _ => {}
            }
        }
    }

    fn finish(mut self) -> ModuleInfo {
        let count = self.info.functions.len();
        self.info.func_refs.resize(count, None);
        self.info.function_names.retain(|func, _| func.index() < count);
        self.info.index_exports();
        self.info
    }
}

/// The hints of a section; none if it is not as it should be, for a custom section invalidates no
/// module.
fn branch_hints(
    section: BranchHintSectionReader<'_>,
) -> Option<HashMap<FuncIndex, Box<[BranchHint]>>> {
    let mut functions = HashMap::new();
    for function in section {
        let function = function.ok()?;
        let hints = function
            .hints
            .into_iter()
            .map(|hint| {
                let hint = hint.ok()?;
                Some(BranchHint { offset: hint.func_offset, taken: hint.taken })
            })
            .collect::<Option<Box<[BranchHint]>>>()?;
        let ordered = hints.is_sorted_by(|a, b| a.offset < b.offset);
        if !ordered || functions.insert(FuncIndex(function.func), hints).is_some() {
            return None;
        }
    }
    Some(functions)
}

fn byte_range(range: &std::ops::Range<u64>) -> std::ops::Range<usize> {
    let offset = |at| usize::try_from(at).expect("an offset into a slice fits usize");
    offset(range.start)..offset(range.end)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wasm::module::Offset;
    use crate::wasm::types::{CompositeType, Limits, StorageType, ValType};

    fn info(wat: &str) -> ModuleInfo {
        let wasm = wat::parse_str(wat).unwrap();
        validate(&wasm, SUPPORTED).unwrap();
        decode(&wasm, SUPPORTED).unwrap().info
    }

    #[test]
    fn imports_come_first_in_their_index_space() {
        let info = info(
            r#"(module $sample
                (import "a" "f" (func $f (param externref) (result i32)))
                (import "a" "t" (table 1 2 funcref))
                (import "a" "m" (memory 1))
                (import "a" "g" (global i64))
                (import "a" "e" (tag))
                (table 3 externref)
                (func $own (export "own"))
                (global (mut f32) (f32.const 1)))"#,
        );
        assert_eq!(info.name.as_deref(), Some("sample"));
        let entities: Vec<_> = info.imports.iter().map(|import| import.entity).collect();
        assert_eq!(
            entities,
            [
                EntityIndex::Func(FuncIndex(0)),
                EntityIndex::Table(TableIndex(0)),
                EntityIndex::Memory(MemoryIndex(0)),
                EntityIndex::Global(GlobalIndex(0)),
                EntityIndex::Tag(TagIndex(0)),
            ]
        );
        assert_eq!(info.export("own"), Some(EntityIndex::Func(FuncIndex(1))));
        assert_eq!(&*info.function_names[&FuncIndex(1)], "own");
        assert_eq!(info.tables[1].ty.limits, Limits { min: 3, max: None });
        assert_eq!(info.globals.len(), 2);
        assert_eq!(*info.global_inits[0].ops, [ConstOp::F32Const(1.0f32.to_bits())]);
        assert_eq!(info.bodies.len(), 1);
        let externref = RefType { nullable: true, heap: HeapType::Extern };
        assert_eq!(info.func_type(FuncIndex(0)).params[0], ValType::Ref(externref));
    }

    #[test]
    fn only_observable_functions_get_a_record() {
        let info = info(
            r#"(module
                (func $hidden) (func $exported (export "f")) (func $in_table) (func $in_global)
                (func $in_expr) (func $initial) (func $declared (drop (ref.func $declared)))
                (func $start) (start $start)
                (table 1 funcref)
                (table 1 funcref (ref.func $initial))
                (elem (i32.const 0) func $in_table)
                (elem funcref (ref.func $in_expr) (ref.null func))
                (elem declare func $declared)
                (global funcref (ref.func $in_global)))"#,
        );
        let with_record: Vec<_> =
            (0..info.functions.len()).filter(|at| info.func_refs[*at].is_some()).collect();
        assert_eq!(with_record, [1, 2, 3, 4, 5, 6, 7]);
        let mut slots: Vec<_> = info.func_refs.iter().flatten().map(|slot| slot.0).collect();
        slots.sort_unstable();
        assert_eq!(slots, [0, 1, 2, 3, 4, 5, 6]);
        assert_eq!(info.func_ref_count, 7);
        assert!(matches!(info.elements[2].mode, SegmentMode::Declared));
    }

    #[test]
    fn a_data_segment_is_a_range_of_the_bytes() {
        let wasm = wat::parse_str(
            r#"(module (memory 1) (data "passive") (data (i32.const 7) "active") (data ""))"#,
        )
        .unwrap();
        let info = decode(&wasm, SUPPORTED).unwrap().info;
        let contents: Vec<_> = info.data.iter().map(|data| &wasm[data.bytes.clone()]).collect();
        assert_eq!(contents, [&b"passive"[..], b"active", b""]);
        let SegmentMode::Active { target, offset } = &info.data[1].mode else {
            panic!("the second segment is active")
        };
        assert_eq!((*target, offset), (MemoryIndex(0), &Offset::Fixed(7)));
    }

    #[test]
    fn recursion_groups_have_no_gaps() {
        let info = info(
            "(module
                (type (func (param i32 v128) (result f64)))
                (rec (type $a (sub (struct (field (mut i8)) (field (ref null $b)))))
                     (type $b (sub final $a (struct
                        (field (mut i8)) (field (ref null $b)) (field anyref)))))
                (type (array i16)))",
        );
        assert_eq!(info.groups, [0..1, 1..3, 3..4]);
        assert_eq!(info.types[2].supertype, Some(TypeIndex(1)));
        assert!(info.types[2].is_final);
        let CompositeType::Struct(fields) = &info.types[1].composite else {
            panic!("the second type is a struct")
        };
        assert_eq!(fields[0].storage, StorageType::I8);
        let b = RefType { nullable: true, heap: HeapType::Concrete(TypeIndex(2)) };
        assert_eq!(fields[1].storage, StorageType::Val(ValType::Ref(b)));
    }

    #[test]
    fn errors_carry_the_byte_offset() {
        let error = |wat: &str| {
            let wasm = wat::parse_str(wat).unwrap();
            decode(&wasm, SUPPORTED).map(|_| ()).unwrap_err().to_string()
        };
        let text = error("(module (global i32 (i64.const 0)))");
        assert!(text.contains("type mismatch") && text.contains("at offset 0x"), "{text}");
        let text = error(r#"(module (func (export "a")) (func (export "a")))"#);
        assert!(text.contains("duplicate export name"), "{text}");
        let text = decode(b"\0asm\x01\0\0\0\x01", SUPPORTED).map(|_| ()).unwrap_err();
        assert!(text.to_string().contains("at offset 0x9"), "{text}");
    }

    #[test]
    fn bodies_are_left_to_the_compiler() {
        let wasm = wat::parse_str("(module (func i32.add))").unwrap();
        assert_eq!(decode(&wasm, SUPPORTED).unwrap().bodies.len(), 1);
        assert!(validate(&wasm, SUPPORTED).is_err());
    }

    #[test]
    fn a_feature_that_is_off_is_an_error() {
        let wasm = wat::parse_str("(module (type (struct)))").unwrap();
        let features = SUPPORTED.difference(WasmFeatures::GC);
        assert!(decode(&wasm, features).is_err());
    }

    #[test]
    fn branch_hints_are_read() {
        let info = info(
            r#"(module (import "" "" (func)) (func (param i32)
                (block (@metadata.code.branch_hint "\01") (br_if 0 (local.get 0))
                    (@metadata.code.branch_hint "\00") (if (local.get 0) (then)))))"#,
        );
        let hints = &info.branch_hints[&FuncIndex(1)];
        let taken: Vec<bool> = hints.iter().map(|hint| hint.taken).collect();
        assert_eq!((taken, hints[0].offset), (vec![true, false], 5));
    }

    #[test]
    fn broken_branch_hints_are_ignored() {
        let module = |section: &[u8]| {
            let mut wasm = wat::parse_str("(module (type (func)) (func (type 0)))").unwrap();
            let name = b"\x19metadata.code.branch_hint";
            let mut custom = vec![0, u8::try_from(name.len() + section.len()).unwrap()];
            custom.extend(name.iter().chain(section));
            // Before the section of functions, which follows that of types.
            let at = wasm.windows(2).position(|bytes| bytes == [3, 2]).unwrap();
            wasm.splice(at..at, custom);
            decode(&wasm, SUPPORTED).unwrap().info.branch_hints
        };
        let good = [1, 0, 2, 1, 1, 0, 2, 1, 1];
        assert_eq!(module(&good)[&FuncIndex(0)].len(), 2);
        for broken in [
            &good[..8],
            // Sizes and values other than 1 and 0 or 1.
            &[1, 0, 1, 1, 2, 0],
            &[1, 0, 1, 1, 1, 2],
            // Not in order, and a function twice.
            &[1, 0, 2, 2, 1, 0, 1, 1, 1],
            &[2, 0, 1, 1, 1, 0, 0, 1, 1, 1, 0],
            &[0xff; 5],
        ] {
            assert!(module(broken).is_empty(), "{broken:?}");
        }
    }

    #[test]
    fn a_broken_name_section_is_ignored() {
        let mut wasm = wat::parse_str("(module (func))").unwrap();
        wasm.extend(b"\x00\x07\x04name\x01\x7f");
        assert!(decode(&wasm, SUPPORTED).unwrap().info.function_names.is_empty());
    }
}
