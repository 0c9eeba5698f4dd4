//! Small changes to finished modules: an export more, a body replaced. Sections that are not
//! concerned are copied as they are.

use anyhow::{Context as _, Result};
use wasm_encoder::reencode::{Reencode, RoundtripReencoder};
use wasm_encoder::{CodeSection, ExportKind, ExportSection, Function, Module, RawSection};
use wasmparser::{CodeSectionReader, ExportSectionReader, Parser, Payload};

/// The numbers of the sections that stand after the exports.
const AFTER_EXPORTS: [u8; 5] = [8, 9, 10, 11, 12];

/// The module with one export more.
pub fn export_global(wasm: &[u8], name: &str, index: u32) -> Result<Vec<u8>> {
    let mut module = Module::new();
    let mut exports = Some(ExportSection::new());
    for (id, range) in sections(wasm)? {
        let data = &wasm[range.clone()];
        if id == 7 {
            let mut section = exports.take().context("one export section")?;
            let reader = wasmparser::BinaryReader::new(data, 0);
            RoundtripReencoder
                .parse_export_section(&mut section, ExportSectionReader::new(reader)?)?;
            section.export(name, ExportKind::Global, index);
            module.section(&section);
            continue;
        }
        if AFTER_EXPORTS.contains(&id)
            && let Some(mut section) = exports.take()
        {
            section.export(name, ExportKind::Global, index);
            module.section(&section);
        }
        module.section(&RawSection { id, data });
    }
    if let Some(mut section) = exports {
        section.export(name, ExportKind::Global, index);
        module.section(&section);
    }
    Ok(module.finish())
}

/// The module with the bodies replaced by `unreachable` for whose positions `drop` says so.
pub fn without_bodies(wasm: &[u8], drop: impl Fn(usize) -> bool) -> Result<Vec<u8>> {
    let mut module = Module::new();
    for (id, range) in sections(wasm)? {
        let data = &wasm[range];
        if id != 10 {
            module.section(&RawSection { id, data });
            continue;
        }
        let mut section = CodeSection::new();
        let reader = CodeSectionReader::new(wasmparser::BinaryReader::new(data, 0))?;
        for (index, body) in reader.into_iter().enumerate() {
            if drop(index) {
                let mut function = Function::new([]);
                function.instructions().unreachable().end();
                section.function(&function);
            } else {
                section.raw(body?.as_bytes());
            }
        }
        module.section(&section);
    }
    Ok(module.finish())
}

/// The module with waits that end after a microsecond, whatever time they ask for.
pub fn without_patience(wasm: &[u8]) -> Result<Vec<u8>> {
    let mut module = Module::new();
    for (id, range) in sections(wasm)? {
        let data = &wasm[range];
        if id != 10 {
            module.section(&RawSection { id, data });
            continue;
        }
        let mut section = CodeSection::new();
        for body in CodeSectionReader::new(wasmparser::BinaryReader::new(data, 0))? {
            section.function(&impatient(&body?)?);
        }
        module.section(&section);
    }
    Ok(module.finish())
}

fn impatient(body: &wasmparser::FunctionBody<'_>) -> Result<Function> {
    use wasmparser::Operator::{MemoryAtomicWait32, MemoryAtomicWait64};
    let mut function = RoundtripReencoder.new_function_with_parsed_locals(body)?;
    for operator in body.get_operators_reader()? {
        let operator = operator?;
        if matches!(operator, MemoryAtomicWait32 { .. } | MemoryAtomicWait64 { .. }) {
            function.instructions().drop().i64_const(1_000);
        }
        function.instruction(&RoundtripReencoder.instruction(operator)?);
    }
    Ok(function)
}

/// How many functions the module defines.
pub fn body_count(wasm: &[u8]) -> Result<usize> {
    let code = sections(wasm)?.into_iter().find(|(id, _)| *id == 10);
    let Some((_, range)) = code else { return Ok(0) };
    let reader = wasmparser::BinaryReader::new(&wasm[range], 0);
    Ok(CodeSectionReader::new(reader)?.count() as usize)
}

/// The sections of a module: number and contents.
fn sections(wasm: &[u8]) -> Result<Vec<(u8, std::ops::Range<usize>)>> {
    let mut sections = Vec::new();
    for payload in Parser::new(0).parse_all(wasm) {
        let payload = payload?;
        if matches!(payload, Payload::CodeSectionEntry(_)) {
            continue;
        }
        if let Some((id, range)) = payload.as_section() {
            sections.push((id, range.start as usize..range.end as usize));
        }
    }
    Ok(sections)
}
