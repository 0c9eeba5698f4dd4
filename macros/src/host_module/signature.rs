//! The signature of one function: which shapes can be called from Wasm. Judges syntax only; every
//! type is judged by rustc through the traits of the support module.

use syn::ext::IdentExt;
use syn::visit_mut::{self, VisitMut};
use syn::{
    FnArg, GenericParam, Pat, PatType, Receiver, ReceiverKind, ReturnType, Safety, Signature, Type,
    TypeImplTrait,
};

use super::model::{Param, SelfParam};
use crate::cfgs;
use crate::errors::Errors;
use crate::lifetimes;

/// The most parameters a host function can have, `self` included.
const MOST_PARAMS: usize = 16;

/// Reports what no host function may be.
pub(super) fn check_qualifiers(sig: &Signature, errors: &mut Errors) {
    if let Some(token) = &sig.asyncness {
        errors.at(
            token,
            "a host function cannot be `async` yet: this runtime has no async calls; remove `async`",
        );
    }
    if let Safety::Unsafe(token) = &sig.safety {
        errors.at(
            token,
            "a host function cannot be `unsafe`: guests call it with any arguments; make it safe, \
             or leave it out with `#[host(skip)]`",
        );
    }
    if let Some(abi) = &sig.abi {
        errors.at(abi, "a host function is a plain Rust function; remove the `extern`");
    }
    if let Some(variadic) = &sig.variadic {
        errors.at(variadic, "a Wasm function has a fixed number of parameters; remove the `...`");
    }
    let generic = sig.generics.params.iter().find(|p| !matches!(p, GenericParam::Lifetime(_)));
    if let Some(generic) = generic {
        errors.at(
            generic,
            "a host function cannot be generic: a guest imports one concrete function; name the \
             type, or leave it out with `#[host(skip)]`",
        );
    }
}

/// The parameters that are well formed.
/// Integers at the positions `wraps` are cut to their lower bits.
pub(super) fn parameters(
    sig: &Signature,
    wraps: &[usize],
    errors: &mut Errors,
) -> (Option<SelfParam>, Vec<Param>) {
    let mut receiver = None;
    let mut params = Vec::new();
    for (position, input) in sig.inputs.iter().enumerate() {
        match input {
            FnArg::Receiver(param) => receiver = self_param(param, errors),
            FnArg::Typed(param) => {
                let wrap = wraps.contains(&position);
                params.extend(self::param(param, wrap, sig, errors));
            }
        }
    }
    if sig.inputs.len() > MOST_PARAMS {
        let extra = &sig.inputs[MOST_PARAMS];
        errors.at(
            extra,
            format!("a host function has at most {MOST_PARAMS} parameters; pass several values in one object"),
        );
    }
    (receiver, params)
}

fn self_param(receiver: &Receiver, errors: &mut Errors) -> Option<SelfParam> {
    if let Some(cfg) = cfgs::of(&receiver.attrs).first() {
        errors.at(
            cfg,
            "`self` cannot be under a `#[cfg]`; write the function twice, each under its `#[cfg]`",
        );
        return None;
    }
    let tokens = receiver.clone();
    match &receiver.kind {
        ReceiverKind::Reference(_, _, mutability) => {
            Some(SelfParam { exclusive: mutability.is_some(), tokens })
        }
        ReceiverKind::Typed(_, ty) => match &**ty {
            Type::Reference(reference) if is_self(&reference.elem) => {
                Some(SelfParam { exclusive: reference.mutability.is_some(), tokens })
            }
            _ => {
                errors.at(receiver, "write `&self` or `&mut self`: the runtime owns the value, and lends it to the method");
                None
            }
        },
        _ => {
            errors.at(
                receiver,
                "`self` by value would move the value out of the runtime; write `&self` or `&mut self`",
            );
            None
        }
    }
}

fn is_self(ty: &Type) -> bool {
    matches!(ty, Type::Path(path) if path.path.is_ident("Self"))
}

fn param(param: &PatType, wrap: bool, sig: &Signature, errors: &mut Errors) -> Option<Param> {
    let name = match &*param.pat {
        Pat::Ident(pat) if pat.by_ref.is_none() && pat.subpat.is_none() => {
            pat.ident.unraw().to_string()
        }
        Pat::Wild(_) => "_".to_owned(),
        pattern => {
            errors.at(
                pattern,
                "a parameter of a host function needs a name, for messages; take the pattern apart in the body",
            );
            return None;
        }
    };
    if let Some(lifetime) = lifetimes::static_reference(&param.ty) {
        errors.at(
            lifetime,
            "an argument is borrowed for the call only: write `&T`, or keep the object with \
             `ManuallyRooted<ExternRef>`",
        );
        return None;
    }
    if let Some(found) = find_impl_trait(&param.ty) {
        errors.at(found, "`impl Trait` makes the function generic, and a guest imports one concrete function; name the type");
        return None;
    }
    Some(Param {
        name,
        ty: lifetimes::infer_declared(&param.ty, &sig.generics),
        cfgs: cfgs::of(&param.attrs),
        wrap,
    })
}

/// The declared result, when it can be one.
pub(super) fn result(sig: &Signature, errors: &mut Errors) -> Option<Type> {
    let ReturnType::Type(_, ty) = &sig.output else { return None };
    if let Some(found) = find_impl_trait(ty) {
        errors.at(found, "the result of a host function must be a named type, not `impl Trait`");
        return None;
    }
    if matches!(&**ty, Type::Reference(_)) {
        errors.at(
            ty,
            "a host function cannot return a reference: a guest may keep its result for ever; \
             return `New<T>` for a new object, or take and return a `Rooted<ExternRef<T>>`",
        );
        return None;
    }
    Some(lifetimes::infer_declared(ty, &sig.generics))
}

fn find_impl_trait(ty: &Type) -> Option<TypeImplTrait> {
    struct Find(Option<TypeImplTrait>);
    impl VisitMut for Find {
        fn visit_type_impl_trait_mut(&mut self, found: &mut TypeImplTrait) {
            self.0.get_or_insert_with(|| found.clone());
            visit_mut::visit_type_impl_trait_mut(self, found);
        }
    }
    let mut find = Find(None);
    find.visit_type_mut(&mut ty.clone());
    find.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use quote::ToTokens;
    use syn::parse_quote;

    #[test]
    fn parameters_keep_their_names_and_lose_declared_lifetimes() {
        let sig: Signature = parse_quote!(fn f<'a>(&'a mut self, x: &'a T, mut y: i32, _: &U));
        let mut errors = Errors::default();
        let (receiver, params) = parameters(&sig, &[], &mut errors);
        assert!(receiver.is_some_and(|receiver| receiver.exclusive));
        let names: Vec<_> = params.iter().map(|param| param.name.as_str()).collect();
        assert_eq!(names, ["x", "y", "_"]);
        assert_eq!(params[0].ty.to_token_stream().to_string(), "& '_ T");
        assert!(errors.finish().is_empty());
    }

    #[test]
    fn a_typed_self_must_be_a_plain_reference() {
        let mut errors = Errors::default();
        let good: Signature = parse_quote!(fn f(self: &mut Self));
        assert!(parameters(&good, &[], &mut errors).0.is_some());
        let bad: Signature = parse_quote!(fn f(self: Rc<Self>));
        assert!(parameters(&bad, &[], &mut errors).0.is_none());
        assert_eq!(errors.count(), 1);
        let _ = errors.finish();
    }
}
