//! Signatures as declarations of a guest in Rust.

use std::fmt::Write;

use super::identifiers::Scope;
use super::{FunctionSignature, Role, SignatureType, Signatures};

/// Words that no function or parameter can be called.
const KEYWORDS: [&str; 53] = [
    "Self", "abstract", "as", "async", "await", "become", "box", "break", "const", "continue",
    "crate", "do", "dyn", "else", "enum", "extern", "false", "final", "fn", "for", "gen", "if",
    "impl", "in", "let", "loop", "macro", "match", "mod", "move", "mut", "override", "priv", "pub",
    "ref", "return", "self", "static", "struct", "super", "trait", "true", "try", "type", "typeof",
    "union", "unsafe", "unsized", "use", "virtual", "where", "while", "yield",
];

/// The `unsafe extern` block.
pub(super) fn write(signatures: &Signatures) -> String {
    let mut text =
        format!("#[link(wasm_import_module = {:?})]\nunsafe extern \"C\" {{\n", signatures.module);
    let mut functions = Scope::new(&KEYWORDS);
    for (position, function) in signatures.functions.iter().enumerate() {
        if position > 0 {
            text.push('\n');
        }
        match declaration(function, &mut functions) {
            Ok(declaration) => {
                for line in function.docs.lines() {
                    text += format!("    /// {line}").trim_end();
                    text.push('\n');
                }
                text += &declaration;
            }
            Err(reason) => {
                let name = function.name.escape_default();
                let _ = writeln!(text, "    // \"{name}\" {function}: {reason}");
            }
        }
    }
    for global in signatures.globals {
        let name = global.name.escape_default();
        let _ = writeln!(text, "\n    // \"{name}\" {global}: Rust cannot declare globals of Wasm");
    }
    text + "}\n"
}

/// The declaration, or why there is none.
fn declaration(function: &FunctionSignature, scope: &mut Scope) -> Result<String, &'static str> {
    let result = match function.results {
        [] => String::new(),
        [only] => format!(" -> {}", rust_type(*only)?),
        _ => return Err("Rust cannot declare several results"),
    };
    let mut params = Scope::new(&KEYWORDS);
    let mut list = Vec::new();
    for param in function.wasm_params() {
        let ty = match param.role {
            Role::Address => "*const u8",
            Role::Len => "usize",
            Role::Value => rust_type(param.ty)?,
        };
        list.push(format!("{}: {ty}", params.claim(&param.name)));
    }
    let (name, ident) = (function.name, scope.claim(function.name));
    // Vectors are a type of the guest's architecture.
    let cfg = match list.iter().chain([&result]).any(|ty| ty.ends_with("v128")) {
        true => "    #[cfg(target_arch = \"wasm32\")]\n",
        false => "",
    };
    // Without pointers there is nothing that could be called wrongly.
    let safe = function.params.iter().all(|param| !param.in_memory);
    let safety = if safe { "safe" } else { "unsafe" };
    Ok(format!(
        "{cfg}    #[link_name = {name:?}]\n    pub {safety} fn {ident}({}){result};\n",
        list.join(", ")
    ))
}

fn rust_type(ty: SignatureType) -> Result<&'static str, &'static str> {
    match ty {
        SignatureType::I32 => Ok("i32"),
        SignatureType::I64 => Ok("i64"),
        SignatureType::F32 => Ok("f32"),
        SignatureType::F64 => Ok("f64"),
        SignatureType::V128 => Ok("core::arch::wasm32::v128"),
        SignatureType::Ref { .. } | SignatureType::Declared { .. } => {
            Err("Rust cannot declare references")
        }
    }
}
