//! Reads a Wasm file, binary or text, as far as imports and exports go. Function bodies are not
//! looked at.

use std::path::Path;
use std::{env, fs};

use wasmparser::{
    AbstractHeapType, CompositeInnerType, ExternalKind, HeapType, Parser, Payload, TypeRef,
};

use super::{Entity, Export, FuncType, Import, ValType};

/// The imports and exports of the file at `path`, or a message for the user.
pub(super) fn read(path: &str) -> Result<(Vec<Import>, Vec<Export>), String> {
    let folder = env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default();
    let bytes = fs::read(Path::new(&folder).join(path)).map_err(|error| {
        format!("cannot read `{path}`: {error}; the path is relative to the folder of Cargo.toml")
    })?;
    let binary = wat::parse_bytes(&bytes)
        .map_err(|error| format!("`{path}` is not a WebAssembly module: {error}"))?;
    let mut reader = Reader::default();
    for payload in Parser::new(0).parse_all(&binary) {
        let read = payload.map_err(Into::into).and_then(|payload| reader.payload(payload));
        read.map_err(|error| format!("`{path}` is not a WebAssembly module: {error}"))?;
    }
    if reader.is_component {
        return Err(format!("`{path}` is a component; hostref runs modules"));
    }
    let exports = reader.resolve_exports();
    let exports = exports.ok_or_else(|| {
        format!("`{path}` is not a WebAssembly module: it exports what it does not have")
    })?;
    Ok((reader.imports, exports))
}

type ReadError = Box<dyn std::error::Error>;

#[derive(Default)]
struct Reader {
    is_component: bool,
    /// The function types among all types.
    types: Vec<Option<FuncType>>,
    funcs: Vec<FuncType>,
    imports: Vec<Import>,
    exports: Vec<(String, ExternalKind, u32)>,
}

impl Reader {
    fn payload(&mut self, payload: Payload<'_>) -> Result<(), ReadError> {
        match payload {
            Payload::Version { encoding, .. } => {
                self.is_component |= encoding == wasmparser::Encoding::Component;
            }
            // Sections of a component say nothing about a module.
            _ if self.is_component => {}
            Payload::TypeSection(section) => {
                for group in section {
                    for ty in group?.into_types() {
                        self.types.push(match &ty.composite_type.inner {
                            CompositeInnerType::Func(ty) => Some(func_type(ty)),
                            _ => None,
                        });
                    }
                }
            }
            Payload::ImportSection(section) => {
                for import in section.into_imports() {
                    self.import(import?)?;
                }
            }
            Payload::FunctionSection(section) => {
                for index in section {
                    let ty = self.func_type(index?)?;
                    self.funcs.push(ty);
                }
            }
            Payload::ExportSection(section) => {
                for export in section {
                    let export = export?;
                    self.exports.push((export.name.to_owned(), export.kind, export.index));
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn import(&mut self, import: wasmparser::Import<'_>) -> Result<(), ReadError> {
        let entity = match import.ty {
            TypeRef::Func(index) | TypeRef::FuncExact(index) => {
                let ty = self.func_type(index)?;
                self.funcs.push(ty.clone());
                Entity::Func(ty)
            }
            TypeRef::Memory(_) => Entity::Memory,
            TypeRef::Table(_) => Entity::Table,
            TypeRef::Global(_) => Entity::Global,
            TypeRef::Tag(_) => Entity::Tag,
        };
        let (module, name) = (import.module.to_owned(), import.name.to_owned());
        self.imports.push(Import { module, name, entity });
        Ok(())
    }

    fn func_type(&self, index: u32) -> Result<FuncType, ReadError> {
        let ty = self.types.get(index as usize).cloned().flatten();
        ty.ok_or_else(|| format!("type {index} is not the type of a function").into())
    }

    /// The exports with their types; `None` when one is of nothing.
    fn resolve_exports(&mut self) -> Option<Vec<Export>> {
        let resolve = |(name, kind, index): (String, ExternalKind, u32)| {
            let entity = match kind {
                ExternalKind::Func | ExternalKind::FuncExact => {
                    Entity::Func(self.funcs.get(index as usize)?.clone())
                }
                ExternalKind::Memory => Entity::Memory,
                ExternalKind::Table => Entity::Table,
                ExternalKind::Global => Entity::Global,
                ExternalKind::Tag => Entity::Tag,
            };
            Some(Export { name, entity })
        };
        std::mem::take(&mut self.exports).into_iter().map(resolve).collect()
    }
}

fn func_type(ty: &wasmparser::FuncType) -> FuncType {
    FuncType {
        params: ty.params().iter().map(|ty| val_type(*ty)).collect(),
        results: ty.results().iter().map(|ty| val_type(*ty)).collect(),
    }
}

fn val_type(ty: wasmparser::ValType) -> ValType {
    ValType(match ty {
        wasmparser::ValType::I32 => "i32",
        wasmparser::ValType::I64 => "i64",
        wasmparser::ValType::F32 => "f32",
        wasmparser::ValType::F64 => "f64",
        wasmparser::ValType::V128 => "v128",
        wasmparser::ValType::Ref(ty) => match ty.heap_type() {
            // Shared references are other types, which no name stands for.
            HeapType::Abstract { ty: heap, shared: false } => abstract_type(heap, ty.is_nullable()),
            _ => "unchecked",
        },
    })
}

fn abstract_type(heap: AbstractHeapType, nullable: bool) -> &'static str {
    let (or_null, non_null) = match heap {
        AbstractHeapType::Extern => ("externref", "ref_extern"),
        AbstractHeapType::NoExtern => ("nullexternref", "ref_noextern"),
        AbstractHeapType::Func => ("funcref", "ref_func"),
        AbstractHeapType::NoFunc => ("nullfuncref", "ref_nofunc"),
        AbstractHeapType::Exn => ("exnref", "ref_exn"),
        AbstractHeapType::NoExn => ("nullexnref", "ref_noexn"),
        AbstractHeapType::Any => ("anyref", "ref_any"),
        AbstractHeapType::Eq => ("eqref", "ref_eq"),
        AbstractHeapType::I31 => ("i31ref", "ref_i31"),
        AbstractHeapType::Struct => ("structref", "ref_struct"),
        AbstractHeapType::Array => ("arrayref", "ref_array"),
        AbstractHeapType::None => ("nullref", "ref_none"),
        AbstractHeapType::Cont | AbstractHeapType::NoCont => ("unchecked", "unchecked"),
    };
    if nullable { or_null } else { non_null }
}
