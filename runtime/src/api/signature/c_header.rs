//! Signatures as a header for a guest in C.

use std::fmt::Write;

use super::identifiers::Scope;
use super::{FunctionSignature, Role, SignatureType, Signatures};

/// Words that no function or parameter can be called.
const KEYWORDS: [&str; 49] = [
    "alignas",
    "alignof",
    "auto",
    "bool",
    "break",
    "case",
    "char",
    "const",
    "constexpr",
    "continue",
    "default",
    "do",
    "double",
    "else",
    "enum",
    "extern",
    "false",
    "float",
    "for",
    "goto",
    "if",
    "inline",
    "int",
    "long",
    "main",
    "nullptr",
    "register",
    "restrict",
    "return",
    "short",
    "signed",
    "sizeof",
    "static",
    "static_assert",
    "struct",
    "switch",
    "thread_local",
    "true",
    "typedef",
    "typeof",
    "typeof_unqual",
    "union",
    "unsigned",
    "void",
    "volatile",
    "while",
    "this",
    "class",
    "template",
];

/// What comes before the declarations. Other compilers than clang for Wasm get stand-ins, so that
/// editors and syntax checks can read the header.
const PRELUDE: &str = "\
#pragma once

#include <stddef.h>
#include <stdint.h>

#ifdef __wasm__
#define HOSTREF_IMPORT(module, name) \\
    __attribute__((import_module(module), import_name(name)))
#else
#define HOSTREF_IMPORT(module, name)
#endif
";

const EXTERNREF: &str = "
#ifdef __wasm__
typedef __externref_t hostref_externref;
#else
typedef struct hostref_externref *hostref_externref;
#endif
";

const V128: &str = "
#ifdef __wasm__
#include <wasm_simd128.h>
typedef v128_t hostref_v128;
#else
typedef struct { uint8_t bytes[16]; } hostref_v128;
#endif
";

/// The header.
pub(super) fn write(signatures: &Signatures) -> String {
    let mut functions = Scope::new(&KEYWORDS);
    let mut body = String::new();
    for function in signatures.functions {
        match declaration(signatures.module, function, &mut functions) {
            Ok(declaration) => {
                body.push('\n');
                for line in function.docs.lines() {
                    // A backslash at the end would take the next line into the comment.
                    let line = line.replace('\\', "/");
                    body += format!("// {line}").trim_end();
                    body.push('\n');
                }
                body += &declaration;
            }
            Err(reason) => {
                let name = in_comment(function.name);
                let _ = writeln!(body, "\n// \"{name}\" {function}: {reason}");
            }
        }
    }
    for global in signatures.globals {
        let name = in_comment(global.name);
        let _ = writeln!(body, "\n// \"{name}\" {global}: C cannot declare globals of Wasm");
    }
    let mut text = PRELUDE.to_owned();
    for (name, types) in [("hostref_externref", EXTERNREF), ("hostref_v128", V128)] {
        if body.contains(name) {
            text += types;
        }
    }
    text += "\n#ifdef __cplusplus\nextern \"C\" {\n#endif\n";
    text += &body;
    text + "\n#ifdef __cplusplus\n}\n#endif\n"
}

/// `name` where a backslash at the end of a line would take the next one into the comment.
fn in_comment(name: &str) -> String {
    name.escape_default().to_string().replace('\\', "/")
}

/// The declaration, or why there is none.
fn declaration(
    module: &str,
    function: &FunctionSignature,
    scope: &mut Scope,
) -> Result<String, &'static str> {
    let result = match function.results {
        [] => "void",
        [only] => c_type(*only)?,
        _ => return Err("C cannot declare several results"),
    };
    let mut params = Scope::new(&KEYWORDS);
    let mut list = Vec::new();
    for param in function.wasm_params() {
        let ty = match param.role {
            Role::Address => "const void *",
            Role::Len => "size_t ",
            Role::Value => &format!("{} ", c_type(param.ty)?),
        };
        list.push(format!("{ty}{}", params.claim(&param.name)));
    }
    if list.is_empty() {
        list.push("void".to_owned());
    }
    let (module, name) = (string(module), string(function.name));
    let ident = scope.claim(function.name);
    Ok(format!("HOSTREF_IMPORT({module}, {name})\n{result} {ident}({});\n", list.join(", ")))
}

fn c_type(ty: SignatureType) -> Result<&'static str, &'static str> {
    match ty {
        SignatureType::I32 => Ok("int32_t"),
        SignatureType::I64 => Ok("int64_t"),
        SignatureType::F32 => Ok("float"),
        SignatureType::F64 => Ok("double"),
        SignatureType::V128 => Ok("hostref_v128"),
        SignatureType::Ref { heap: "extern", .. } => Ok("hostref_externref"),
        SignatureType::Ref { .. } | SignatureType::Declared { .. } => {
            Err("C cannot declare such references")
        }
    }
}

/// `name` as a string of C. Octal escapes have at most three digits, so that what follows one is
/// never taken for a part of it.
fn string(name: &str) -> String {
    let mut text = String::from("\"");
    for byte in name.bytes() {
        match byte {
            b'"' | b'\\' => text.extend(['\\', char::from(byte)]),
            b'?' => text += "\\?",
            0x20..0x7f => text.push(char::from(byte)),
            _ => {
                let _ = write!(text, "\\{byte:03o}");
            }
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
        assert_eq!(string("a\"b\\é1?"), r#""a\"b\\\303\2511\?""#);
    }
}
