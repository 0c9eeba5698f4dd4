//! Lifetimes in types that generated code repeats inside a function body. Changes nothing else.

use proc_macro2::Span;
use syn::visit_mut::VisitMut;
use syn::{BoundLifetimes, GenericParam, Generics, Lifetime, Type};

/// `ty` with the lifetimes that `generics` declares left to inference: they are not in scope in the
/// generated function.
pub(crate) fn infer_declared(ty: &Type, generics: &Generics) -> Type {
    infer(ty, generics.params.iter())
}

/// `ty` with the lifetimes of the `for<..>` of a function pointer left to inference.
pub(crate) fn infer_bound(ty: &Type, bound: Option<&BoundLifetimes>) -> Type {
    infer(ty, bound.into_iter().flat_map(|bound| &bound.lifetimes))
}

fn infer<'a>(ty: &Type, params: impl Iterator<Item = &'a GenericParam>) -> Type {
    let declared = params.filter_map(|param| match param {
        GenericParam::Lifetime(param) => Some(param.lifetime.clone()),
        _ => None,
    });
    let mut eraser = Eraser { declared: declared.collect() };
    let mut ty = ty.clone();
    if !eraser.declared.is_empty() {
        eraser.visit_type_mut(&mut ty);
    }
    ty
}

/// Whether the outermost reference of `ty` is `&'static`.
pub(crate) fn static_reference(ty: &Type) -> Option<&Lifetime> {
    match ty {
        Type::Reference(reference) => {
            reference.lifetime.as_ref().filter(|lifetime| lifetime.ident == "static")
        }
        Type::Group(group) => static_reference(&group.elem),
        Type::Paren(paren) => static_reference(&paren.elem),
        _ => None,
    }
}

struct Eraser {
    declared: Vec<Lifetime>,
}

impl VisitMut for Eraser {
    fn visit_lifetime_mut(&mut self, lifetime: &mut Lifetime) {
        if self.declared.contains(lifetime) {
            *lifetime = Lifetime::new("'_", Span::mixed_site().located_at(lifetime.span()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use quote::ToTokens;
    use syn::parse_quote;

    #[test]
    fn only_declared_lifetimes_are_inferred() {
        let generics: Generics = parse_quote!(<'a, 'b>);
        let ty: Type = parse_quote!(&'a mut Caller<'b, Map<'static, dyn for<'c> F<'c>>>);
        let wanted: Type = parse_quote!(&'_ mut Caller<'_, Map<'static, dyn for<'c> F<'c>>>);
        let found = infer_declared(&ty, &generics);
        assert_eq!(found.to_token_stream().to_string(), wanted.to_token_stream().to_string());
    }

    #[test]
    fn a_static_reference_is_found() {
        assert!(static_reference(&parse_quote!(&'static T)).is_some());
        assert!(static_reference(&parse_quote!(&T)).is_none());
        assert!(static_reference(&parse_quote!(Option<&'static T>)).is_none());
    }
}
