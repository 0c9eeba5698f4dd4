//! Signatures in the text format.

use std::fmt::Write;

use super::identifiers::Scope;
use super::{FunctionSignature, Signatures};

/// The import lines.
pub(super) fn write(signatures: &Signatures) -> String {
    let mut text = String::new();
    let mut functions = Scope::new(&[]);
    for function in signatures.functions {
        for line in function.docs.lines() {
            text += format!(";; {line}").trim_end();
            text.push('\n');
        }
        let (module, name) = (string(signatures.module), string(function.name));
        let id = functions.claim(function.name);
        let _ = writeln!(text, "(import {module} {name} (func ${id}{}))", types(function));
    }
    text
}

fn types(function: &FunctionSignature) -> String {
    let mut text = String::new();
    let mut params = Scope::new(&[]);
    for param in function.wasm_params() {
        let _ = write!(text, " (param ${} {})", params.claim(&param.name), param.ty.nullable());
    }
    if !function.results.is_empty() {
        text += " (result";
        for ty in function.results {
            let _ = write!(text, " {}", ty.nullable());
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
