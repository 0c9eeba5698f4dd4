//! The constant `SIGNATURES`: names and documentation from the model, Wasm types by rustc from the
//! user's types. Reports nothing: what is wrong with a type is reported where it is registered.

use heck::ToShoutySnakeCase;
use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};

use super::check::is_state;
use super::model::{Function, Global, HostModule};

/// The constant beside the function that links.
pub(super) fn signatures(module: &HostModule) -> TokenStream {
    let HostModule { name, krate, .. } = module;
    let here = Span::mixed_site();
    let private = krate.private(here);
    let ident = ident(&module.link);
    let docs = format!(
        "What guests import from `{name}`: names, Wasm types and documentation, with declarations for \
         the authors of guests."
    );
    let functions = module.functions.iter().map(|function| signature(module, function));
    let globals = module.globals.iter().map(|global| global_signature(module, global));
    quote_spanned! {here=>
        #[doc = #docs]
        pub const #ident: #krate::Signatures = {
            use #private::NoTypes as _;
            #krate::Signatures::new(#name, &[#(#functions),*], &[#(#globals),*])
        };
    }
}

/// `SIGNATURES` for `add_to_linker`, `MATH_SIGNATURES` for `add_math_to_linker`.
fn ident(link: &Ident) -> Ident {
    let link_name = link.to_string();
    if link_name == "add_to_linker" {
        return Ident::new("SIGNATURES", link.span());
    }
    let name = link_name.strip_prefix("add_").unwrap_or(&link_name);
    let name = name.strip_suffix("_to_linker").unwrap_or(name);
    format_ident!("{}_SIGNATURES", name.to_shouty_snake_case(), span = link.span())
}

fn signature(module: &HostModule, function: &Function) -> TokenStream {
    let Function { cfgs, wasm_name, docs, .. } = function;
    let krate = &module.krate;
    let here = Span::mixed_site();
    let private = krate.private(here);
    let data = match &module.state {
        Some(state) => quote!(#state),
        None => quote!(()),
    };
    let receiver = function.receiver.iter().filter(|_| !is_state(module, function));
    let receiver = receiver.map(|receiver| {
        let exclusive = receiver.exclusive.then(|| quote!(mut));
        ("self", quote!(&#exclusive Self))
    });
    let params = function.params.iter().map(|param| {
        let ty = &param.ty;
        (param.name.as_str(), quote!(#ty))
    });
    let params = receiver.chain(params).map(|(name, ty)| {
        quote_spanned!(here=> #private::ParamTypes::<#data, #ty, _>::PARAM.called(#name))
    });
    let result = match &function.result {
        Some(_) if function.errno => quote!(::core::primitive::i32),
        Some(ty) => quote!(#ty),
        None => quote!(()),
    };
    let name = &wasm_name.text;
    quote_spanned! {here=>
        #(#cfgs)*
        #krate::FunctionSignature::new(
            #name,
            #docs,
            &[#(#params),*],
            #private::ResultTypes::<#result, _>::TYPES,
        )
    }
}

fn global_signature(module: &HostModule, global: &Global) -> TokenStream {
    let Global { cfgs, wasm_name, docs, ty, .. } = global;
    let krate = &module.krate;
    let here = Span::mixed_site();
    let private = krate.private(here);
    let name = &wasm_name.text;
    quote_spanned! {here=>
        #(#cfgs)*
        #krate::GlobalSignature::new(#name, #docs, #private::ResultTypes::<#ty, _>::TYPES)
    }
}

#[cfg(test)]
mod tests {
    use super::ident;
    use proc_macro2::Span;
    use syn::Ident;

    #[test]
    fn the_constant_is_called_after_the_function() {
        for (link, constant) in [
            ("add_to_linker", "SIGNATURES"),
            ("add_math_to_linker", "MATH_SIGNATURES"),
            ("link", "LINK_SIGNATURES"),
        ] {
            assert_eq!(ident(&Ident::new(link, Span::call_site())), constant);
        }
    }
}
