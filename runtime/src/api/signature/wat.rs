//! Signatures in the text format.

use std::fmt::Write;

use super::identifiers::Scope;
use super::type_definitions::TypeDefinitions;
use super::{FunctionSignature, Signatures};

/// The definitions of types, and the import lines.
pub(super) fn write(all: impl IntoIterator<Item = Signatures>) -> String {
    let mut types = TypeDefinitions::default();
    let mut text = String::new();
    let (mut functions, mut globals) = (Scope::new(&[]), Scope::new(&[]));
    for signatures in all {
        let module = string(signatures.module);
        for function in signatures.functions {
            comment(&mut text, function.docs);
            let (name, id) = (string(function.name), functions.claim(function.name));
            let ty = function_type(function, &mut types);
            let _ = writeln!(text, "(import {module} {name} (func ${id}{ty}))");
        }
        for global in signatures.globals {
            comment(&mut text, global.docs);
            let (name, id) = (string(global.name), globals.claim(global.name));
            let _ = writeln!(text, "(import {module} {name} (global ${id} {}))", global.ty());
        }
    }
    types.into_text() + &text
}

fn comment(text: &mut String, docs: &str) {
    for line in docs.lines() {
        *text += format!(";; {line}").trim_end();
        text.push('\n');
    }
}

fn function_type(function: &FunctionSignature, types: &mut TypeDefinitions) -> String {
    let mut text = String::new();
    let mut params = Scope::new(&[]);
    for param in function.wasm_params() {
        let (name, ty) = (params.claim(&param.name), types.nullable(param.ty));
        let _ = write!(text, " (param ${name} {ty})");
    }
    if !function.results.is_empty() {
        text += " (result";
        for ty in function.results {
            let _ = write!(text, " {}", types.nullable(*ty));
        }
        text += ")";
    }
    text
}

/// `name` as a string of the text format.
fn string(name: &str) -> String {
    let mut text = String::from("\"");
    for char in name.chars() {
        match char {
            '"' | '\\' => text.extend(['\\', char]),
            char if char.is_control() => {
                let _ = write!(text, "\\u{{{:x}}}", u32::from(char));
            }
            char => text.push(char),
        }
    }
    text.push('"');
    text
}

#[cfg(test)]
mod tests {
    use super::string;

    #[test]
    fn strings_are_escaped() {
        assert_eq!(string("a\"b\\c\nd é"), r#""a\"b\\c\u{a}d é""#);
    }
}
