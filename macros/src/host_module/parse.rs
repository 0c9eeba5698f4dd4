//! From tokens to the model. The only file that reads attributes; judges one item at a time and
//! leaves out what it had to report.

use heck::ToKebabCase;
use proc_macro2::TokenStream;
use quote::format_ident;
use syn::ext::IdentExt;
use syn::{
    Attribute, FnArg, GenericParam, Ident, ImplItem, ImplItemConst, ImplItemFn, Item, ItemImpl,
    LitStr, Meta, ReturnType, Signature, Type,
};

use super::model::{Function, Global, HostModule, ReceiverKind, WasmName};
use super::{signature, variants};
use crate::attr::{Args, Keys};
use crate::case::Case;
use crate::errors::Errors;
use crate::guest::Guest;
use crate::{cfgs, item};

const BLOCK: Keys = Keys {
    attribute: "#[host_module]",
    known: &["name", "receiver", "state", "rename_all", "memory", "check", "link", "crate"],
    later: &[],
    elsewhere: &[],
};

const FUNCTION: Keys = Keys {
    attribute: "#[host]",
    known: &["name", "skip", "errno"],
    later: &[],
    elsewhere: &[
        ("global", "`global` is for constants: guests import a function as a function; remove it"),
        ("wrap", "`wrap` stands on a parameter: write `fn name(#[host(wrap)] value: u8)`"),
    ],
};

const PARAMETER: Keys = Keys { attribute: "#[host]", known: &["wrap"], later: &[], elsewhere: &[] };

const CONSTANT: Keys = Keys {
    attribute: "#[host]",
    known: &["global", "name"],
    later: &[],
    elsewhere: &[(
        "skip",
        "a constant is left out unless it says `#[host(global)]`; remove `skip`",
    )],
};

/// Reads the arguments and the block. `None`, after an error, when the item is not such a block.
pub(super) fn parse(
    arguments: TokenStream,
    item: TokenStream,
    errors: &mut Errors,
) -> Option<HostModule> {
    let args = Args::parse(arguments, &BLOCK, errors);
    let mut block = parse_block(item, errors)?;
    let case = args.rename_all(errors);
    let Items { functions, globals, broken } = parse_items(&mut block, case, errors);
    let guest = args.string("check", errors).and_then(|path| Guest::read(path, errors));
    Some(HostModule {
        name: module_name(&args, &block.self_ty, errors),
        receiver: parse_receiver(&args, errors),
        state: args.value("state", "the type of the store's data", "App", errors),
        memory: args.string("memory", errors).map_or_else(|| "memory".into(), |name| name.value()),
        link: parse_link(&args, errors),
        krate: args.krate(errors),
        guest,
        broken,
        functions,
        globals,
        late: TokenStream::new(),
        block,
    })
}

fn parse_block(item: TokenStream, errors: &mut Errors) -> Option<ItemImpl> {
    let block = match syn::parse2::<Item>(item) {
        Ok(Item::Impl(block)) => block,
        Ok(other) => {
            let found = item::describe(&other);
            let message = format!(
                "`#[host_module]` belongs on an inherent impl block, `impl Name {{ .. }}`; this is {found}"
            );
            errors.at(item::head(&other), message);
            return None;
        }
        Err(error) => {
            errors.push(error);
            return None;
        }
    };
    if let Some((path, _)) = &block.trait_ {
        errors.at(
            path,
            "`#[host_module]` cannot stand on the impl of a trait; move the functions into an \
             inherent impl block, `impl Name { .. }`",
        );
        return None;
    }
    let params = &block.generics.params;
    if params.is_empty() {
        return Some(block);
    }
    let message = match params.iter().all(|param| matches!(param, GenericParam::Lifetime(_))) {
        true => {
            "a host module cannot have a lifetime: linkers and stores keep what they are given, so the \
             type must own what it refers to"
        }
        false => {
            "a host module cannot be generic: guests import concrete functions; write the block for \
             one type, as in `impl Name<i32> { .. }`"
        }
    };
    errors.at(params, message);
    None
}

fn module_name(args: &Args, self_ty: &Type, errors: &mut Errors) -> String {
    if let Some(name) = args.string("name", errors) {
        return name.value();
    }
    match self_ty {
        Type::Path(path) if !path.path.segments.is_empty() => {
            let last = path.path.segments.last().expect("checked just above");
            last.ident.unraw().to_string().to_kebab_case()
        }
        _ => {
            errors.at(self_ty, "this type has no name: give the module one, `name = \"..\"`");
            String::new()
        }
    }
}

fn parse_receiver(args: &Args, errors: &mut Errors) -> Option<ReceiverKind> {
    let value = args.string("receiver", errors)?;
    match value.value().as_str() {
        "object" => Some(ReceiverKind::Object),
        "state" => Some(ReceiverKind::State),
        _ => {
            errors.at(
                &value,
                "`receiver` is \"object\" (`self` is the first Wasm parameter, an externref) or \
                 \"state\" (`self` is a part of the store's data)",
            );
            // Either is better than one more message for each method.
            Some(ReceiverKind::Object)
        }
    }
}

fn parse_link(args: &Args, errors: &mut Errors) -> Ident {
    let default = format_ident!("add_to_linker");
    let Some(value) = args.string("link", errors) else { return default };
    value.parse::<Ident>().unwrap_or_else(|_| {
        errors.at(&value, "`link` names a function: write `link = \"add_math_to_linker\"`");
        default
    })
}

/// What a block consists of.
#[derive(Default)]
struct Items {
    functions: Vec<Function>,
    globals: Vec<Global>,
    /// The Wasm names of functions that were reported and left out.
    broken: Vec<String>,
}

/// Takes our attributes off the items and returns those that are well formed.
fn parse_items(block: &mut ItemImpl, case: Case, errors: &mut Errors) -> Items {
    let mut items = Items::default();
    let mut seen = false;
    for item in &mut block.items {
        match item {
            ImplItem::Fn(function) => {
                seen = true;
                match parse_function(function, case, errors) {
                    Parsed::Function(function) => {
                        items.functions.extend(variants::of(*function, errors));
                    }
                    Parsed::Broken(name) => items.broken.push(name),
                    Parsed::Skipped => {}
                }
            }
            ImplItem::Const(constant) => {
                let global = parse_constant(constant, case, errors);
                seen |= global.is_some();
                items.globals.extend(global);
            }
            ImplItem::Type(ty) => errors.at(
                ty.type_token,
                "an associated type cannot be part of a host module; move it to another impl block",
            ),
            ImplItem::Macro(call) => errors.at(
                &call.mac.path,
                "`#[host_module]` cannot see the functions that a macro makes; write them out, or \
                 let the macro make the whole impl block with its attribute",
            ),
            other => errors.at(
                other,
                "`#[host_module]` does not know this item; move it to another impl block",
            ),
        }
    }
    // rustc would report them again.
    block.items.retain(|item| !matches!(item, ImplItem::Type(_)));
    if !seen && errors.count() == 0 {
        errors.at(
            &block.self_ty,
            "this host module is empty: write the functions that guests may import into it",
        );
    }
    items
}

fn parse_constant(constant: &mut ImplItemConst, case: Case, errors: &mut Errors) -> Option<Global> {
    let args = take_host_args(&mut constant.attrs, &CONSTANT, errors);
    let name = args.string("name", errors);
    if args.flag("global", errors).is_none() {
        if let Some(name) = name {
            errors
                .at(name, "only globals have a Wasm name: write `#[host(global, name = \"..\")]`");
        }
        return None;
    }
    Some(Global {
        wasm_name: wasm_name(name, &constant.ident, case),
        ident: constant.ident.clone(),
        docs: docs(&constant.attrs),
        cfgs: cfgs::of(&constant.attrs),
        ty: constant.ty.clone(),
    })
}

/// What a function of the block turned out to be.
enum Parsed {
    Function(Box<Function>),
    /// Reported; with its Wasm name.
    Broken(String),
    Skipped,
}

fn parse_function(method: &mut ImplItemFn, case: Case, errors: &mut Errors) -> Parsed {
    let args = take_host_args(&mut method.attrs, &FUNCTION, errors);
    let before = errors.count();
    let wraps = take_wraps(&mut method.sig, errors);
    if let Some(skip) = args.flag("skip", errors) {
        for key in args.keys().filter(|key| **key != skip) {
            errors.at(key, format!("`{key}` has no effect beside `skip`; keep one of them"));
        }
        return Parsed::Skipped;
    }
    let name = args.string("name", errors);
    let (receiver, params) = signature::parameters(&method.sig, &wraps, errors);
    let result = signature::result(&method.sig, errors);
    let errno = args.flag("errno", errors);
    if let Some(errno) = errno.as_ref().filter(|_| matches!(method.sig.output, ReturnType::Default))
    {
        errors.at(
            errno,
            "`errno` needs an error to pass: return `Result<(), E>`, where `E: Into<i32>`",
        );
    }
    signature::check_qualifiers(&method.sig, errors);
    let wasm_name = wasm_name(name, &method.sig.ident, case);
    if errors.count() != before {
        return Parsed::Broken(wasm_name.text);
    }
    Parsed::Function(Box::new(Function {
        wasm_name,
        ident: method.sig.ident.clone(),
        docs: docs(&method.attrs),
        cfgs: cfgs::of(&method.attrs),
        receiver,
        params,
        result,
        imported_as: Vec::new(),
        errno: errno.is_some(),
    }))
}

/// The positions of the parameters that carry `#[host(wrap)]`. Takes our attributes off them.
fn take_wraps(sig: &mut Signature, errors: &mut Errors) -> Vec<usize> {
    let mut wraps = Vec::new();
    for (position, input) in sig.inputs.iter_mut().enumerate() {
        let attrs = match input {
            FnArg::Receiver(receiver) => &mut receiver.attrs,
            FnArg::Typed(param) => &mut param.attrs,
        };
        let wrap = take_host_args(attrs, &PARAMETER, errors).flag("wrap", errors);
        match (wrap, input) {
            (Some(wrap), FnArg::Receiver(_)) => {
                errors.at(wrap, "`wrap` is for integers, and `self` is none; remove it");
            }
            (Some(_), FnArg::Typed(_)) => wraps.push(position),
            (None, _) => {}
        }
    }
    wraps
}

fn wasm_name(name: Option<LitStr>, ident: &Ident, case: Case) -> WasmName {
    match name {
        Some(name) => WasmName { text: name.value(), span: name.span() },
        None => WasmName { text: case.apply(&ident.unraw().to_string()), span: ident.span() },
    }
}

/// Removes `#[host(..)]` from `attrs` and reads it.
fn take_host_args(attrs: &mut Vec<Attribute>, keys: &Keys, errors: &mut Errors) -> Args {
    let mut args = Args::default();
    for attr in attrs.extract_if(.., |attr| attr.path().is_ident("host")) {
        match &attr.meta {
            Meta::List(list) => {
                let more = Args::parse(list.tokens.clone(), keys, errors);
                args.merge(more, errors);
            }
            _ => errors.at(&attr, "`#[host]` takes arguments: `#[host(name = \"..\")]`"),
        }
    }
    for attr in attrs.extract_if(.., |attr| is_conditional_host(attr)) {
        errors.at(
            &attr,
            "`#[host]` cannot be conditional; write the function twice, each under its `#[cfg]`",
        );
    }
    args
}

fn is_conditional_host(attr: &Attribute) -> bool {
    let Meta::List(list) = &attr.meta else { return false };
    let mentions_host = || list.tokens.clone().into_iter().any(|token| token.to_string() == "host");
    attr.path().is_ident("cfg_attr") && mentions_host()
}

/// The documentation as written, line by line. What a macro makes of text is left out.
fn docs(attrs: &[Attribute]) -> String {
    let lines = attrs.iter().filter_map(|attr| match &attr.meta {
        Meta::NameValue(pair) if attr.path().is_ident("doc") => match &pair.value {
            syn::Expr::Lit(syn::ExprLit { lit: syn::Lit::Str(text), .. }) => Some(text.value()),
            _ => None,
        },
        _ => None,
    });
    let lines = lines.map(|line| line.strip_prefix(' ').unwrap_or(&line).to_owned());
    lines.collect::<Vec<_>>().join("\n").trim().to_owned()
}
