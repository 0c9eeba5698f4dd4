//! The types that Rust types declare, as definitions in the text format: each before it is mentioned,
//! under a name of its own. Knows no engine.

use std::collections::HashMap;
use std::fmt::Write;

use super::identifiers::Scope;
use super::{DeclaredType, SignatureType};
use crate::api::gc_object::{GcDefinition, GcTypeKey, PartDefinition};
use crate::wasm::types::{HeapType, RefType, StorageType, ValType};

/// Definitions while they are collected.
pub(super) struct TypeDefinitions {
    /// Of each type that is defined or about to be.
    names: HashMap<&'static GcTypeKey, String>,
    identifiers: Scope,
    text: String,
}

impl Default for TypeDefinitions {
    fn default() -> Self {
        TypeDefinitions { names: HashMap::new(), identifiers: Scope::new(&[]), text: String::new() }
    }
}

impl TypeDefinitions {
    /// The definitions, a line for each group.
    pub(super) fn into_text(self) -> String {
        self.text
    }

    /// `ty` with null as a guest writes it, who finds its definition among these.
    ///
    /// # Panics
    ///
    /// If types mention each other that are not of one recursion group.
    pub(super) fn nullable(&mut self, ty: SignatureType) -> String {
        match ty {
            SignatureType::Declared { ty: DeclaredType(key), .. } => {
                self.define(key, &[]);
                self.reference(true, key)
            }
            SignatureType::Ref { heap, .. } => {
                SignatureType::Ref { nullable: true, heap }.to_string()
            }
            number => number.to_string(),
        }
    }

    /// A reference to a type that has a name.
    fn reference(&self, nullable: bool, key: &GcTypeKey) -> String {
        let null = if nullable { "null " } else { "" };
        format!("(ref {null}{})", self.names[key])
    }

    /// Defines the recursion group of a type, on behalf of the types `waiting`.
    fn define(&mut self, key: &'static GcTypeKey, waiting: &[&'static GcTypeKey]) {
        key.check_waiting(waiting);
        if self.names.contains_key(key) {
            return;
        }
        let group = key.group();
        let waiting = [waiting, &group].concat();
        let definitions: Vec<_> = group.iter().map(|member| member.definition()).collect();
        let mentioned = definitions.iter().flat_map(GcDefinition::mentioned);
        for other in mentioned.filter(|other| !group.contains(other)) {
            self.define(other, &waiting);
        }
        for member in &group {
            let name = self.identifiers.claim(member.symbol().trim_start_matches('$'));
            self.names.insert(member, format!("${name}"));
        }
        let members = group.iter().zip(&definitions);
        let members: Vec<_> =
            members.map(|(key, definition)| self.definition(key, definition)).collect();
        match &members[..] {
            [only] => self.text += only,
            _ => {
                let _ = write!(self.text, "(rec\n  {})", members.join("\n  "));
            }
        }
        self.text.push('\n');
    }

    fn definition(&self, key: &GcTypeKey, definition: &GcDefinition) -> String {
        let GcDefinition { is_array, is_final, supertype, parts, .. } = definition;
        let mut ty = String::from(if *is_array { "(array" } else { "(struct" });
        let mut fields = Scope::new(&[]);
        for part in parts {
            match is_array {
                true => {
                    let _ = write!(ty, " {}", self.part(part));
                }
                false => {
                    let name = fields.claim(part.name);
                    let _ = write!(ty, " (field ${name} {})", self.part(part));
                }
            }
        }
        ty.push(')');
        let ty = match (is_final, supertype) {
            (true, None) => ty,
            (false, None) => format!("(sub {ty})"),
            (true, Some(supertype)) => format!("(sub final {} {ty})", self.names[supertype]),
            (false, Some(supertype)) => format!("(sub {} {ty})", self.names[supertype]),
        };
        format!("(type {} {ty})", self.names[key])
    }

    fn part(&self, part: &PartDefinition) -> String {
        let storage = match (part.holds.storage, part.holds.key) {
            (StorageType::Val(ValType::Ref(RefType { nullable, .. })), Some(key)) => {
                self.reference(nullable, key)
            }
            (StorageType::I8, _) => "i8".to_owned(),
            (StorageType::I16, _) => "i16".to_owned(),
            (StorageType::Val(ty), _) => value_type(ty).to_string(),
        };
        match part.mutability.is_var() {
            true => format!("(mut {storage})"),
            false => storage,
        }
    }
}

/// A type that names no other.
fn value_type(ty: ValType) -> SignatureType {
    match ty {
        ValType::I32 => SignatureType::I32,
        ValType::I64 => SignatureType::I64,
        ValType::F32 => SignatureType::F32,
        ValType::F64 => SignatureType::F64,
        ValType::V128 => SignatureType::V128,
        ValType::Ref(RefType { nullable, heap }) => {
            let heap = match heap {
                HeapType::Func => "func",
                HeapType::NoFunc => "nofunc",
                HeapType::Extern => "extern",
                HeapType::NoExtern => "noextern",
                HeapType::Exn => "exn",
                HeapType::NoExn => "noexn",
                HeapType::Any => "any",
                HeapType::Eq => "eq",
                HeapType::I31 => "i31",
                HeapType::Struct => "struct",
                HeapType::Array => "array",
                HeapType::None => "none",
                HeapType::Concrete(_) => {
                    unreachable!("types of objects are mentioned by their keys")
                }
            };
            SignatureType::Ref { nullable, heap }
        }
    }
}
