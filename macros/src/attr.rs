//! Arguments of our attributes: `key` and `key = value`, separated by commas. Knows which keys exist
//! and how values are read, not what they mean.

use proc_macro2::{Ident, Punct, Spacing, TokenStream, TokenTree};
use syn::LitStr;
use syn::parse::Parse;

use crate::case::Case;
use crate::errors::Errors;
use crate::krate::Krate;
use crate::nearest::nearest;

/// What one attribute accepts.
#[derive(Debug)]
pub(crate) struct Keys {
    /// The attribute as the user writes it.
    pub(crate) attribute: &'static str,
    /// Keys that mean something.
    pub(crate) known: &'static [&'static str],
    /// Keys of a later version.
    pub(crate) later: &'static [&'static str],
    /// Keys that belong elsewhere, and what to say of them.
    pub(crate) elsewhere: &'static [(&'static str, &'static str)],
}

/// The arguments that one attribute has.
#[derive(Debug, Default)]
pub(crate) struct Args {
    entries: Vec<Entry>,
}

#[derive(Debug)]
struct Entry {
    key: Ident,
    /// `None` for a bare key.
    value: Option<TokenStream>,
}

impl Args {
    /// Splits `tokens` into arguments. Arguments that `keys` does not know, and repeated ones, are
    /// reported and left out.
    pub(crate) fn parse(tokens: TokenStream, keys: &Keys, errors: &mut Errors) -> Args {
        let mut args = Args::default();
        for segment in split_at_commas(tokens) {
            let Some(entry) = parse_entry(segment, keys, errors) else { continue };
            match args.entry(&entry.key.to_string()) {
                None if check_key(&entry.key, keys, errors) => args.entries.push(entry),
                None => {}
                Some(_) => {
                    errors.at(&entry.key, format!("`{}` is given twice; keep one", entry.key));
                }
            }
        }
        args
    }

    /// Adds the arguments of another attribute of the same kind on the same item.
    pub(crate) fn merge(&mut self, more: Args, errors: &mut Errors) {
        for entry in more.entries {
            if self.entry(&entry.key.to_string()).is_some() {
                errors.at(&entry.key, format!("`{}` is given twice; keep one", entry.key));
            } else {
                self.entries.push(entry);
            }
        }
    }

    /// The keys that are given.
    pub(crate) fn keys(&self) -> impl Iterator<Item = &Ident> {
        self.entries.iter().map(|entry| &entry.key)
    }

    /// The bare key `key`.
    pub(crate) fn flag(&self, key: &str, errors: &mut Errors) -> Option<Ident> {
        let entry = self.entry(key)?;
        if let Some(value) = &entry.value {
            errors.at(value, format!("`{key}` takes no value: write `{key}`"));
        }
        Some(entry.key.clone())
    }

    /// The string that `key` is set to.
    pub(crate) fn string(&self, key: &str, errors: &mut Errors) -> Option<LitStr> {
        self.value(key, "a string literal", "\"..\"", errors)
    }

    /// What `key` is set to, where `wanted` and `example` describe a `T`.
    pub(crate) fn value<T: Parse>(
        &self,
        key: &str,
        wanted: &str,
        example: &str,
        errors: &mut Errors,
    ) -> Option<T> {
        let entry = self.entry(key)?;
        let message = || format!("`{key}` takes {wanted}: write `{key} = {example}`");
        let Some(value) = entry.value.as_ref().filter(|value| !value.is_empty()) else {
            errors.at(&entry.key, message());
            return None;
        };
        match syn::parse2(value.clone()) {
            Ok(value) => Some(value),
            Err(_) => {
                errors.at(value, message());
                None
            }
        }
    }

    /// The value of `rename_all`.
    pub(crate) fn rename_all(&self, errors: &mut Errors) -> Case {
        let Some(name) = self.string("rename_all", errors) else { return Case::Verbatim };
        Case::from_name(&name.value()).unwrap_or_else(|| {
            let known = Case::NAMES.map(|(name, _)| format!("\"{name}\"")).join(", ");
            errors.at(&name, format!("`rename_all` does not know this case; it knows {known}"));
            Case::Verbatim
        })
    }

    /// The value of `crate`.
    pub(crate) fn krate(&self, errors: &mut Errors) -> Krate {
        Krate(self.value("crate", "the path of the runtime crate", "hostref", errors))
    }

    fn entry(&self, key: &str) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.key == key)
    }
}

fn parse_entry(segment: Vec<TokenTree>, keys: &Keys, errors: &mut Errors) -> Option<Entry> {
    let malformed = || format!("expected `key = value`{}", also(keys));
    let mut tokens = segment.into_iter();
    let first = tokens.next()?;
    let TokenTree::Ident(key) = first else {
        errors.at(first, malformed());
        return None;
    };
    match tokens.next() {
        None => Some(Entry { key, value: None }),
        Some(TokenTree::Punct(equals)) if equals.as_char() == '=' => {
            Some(Entry { key, value: Some(tokens.collect()) })
        }
        Some(_) if !is_known(&key, keys) => {
            check_key(&key, keys, errors);
            None
        }
        Some(other) => {
            errors.at(other, malformed());
            None
        }
    }
}

fn is_known(key: &Ident, keys: &Keys) -> bool {
    keys.known.iter().any(|known| key == known)
}

/// Reports a key that does not exist.
fn check_key(key: &Ident, keys: &Keys, errors: &mut Errors) -> bool {
    if is_known(key, keys) {
        return true;
    }
    let attribute = keys.attribute;
    let name = key.to_string();
    let elsewhere = keys.elsewhere.iter().find(|(key, _)| name == *key);
    let message = if let Some((_, why)) = elsewhere {
        (*why).to_owned()
    } else if keys.later.contains(&name.as_str()) {
        format!("`{name}` of `{attribute}` is not supported yet{}", also(keys))
    } else if let Some(meant) = nearest(&name, keys.known.iter().copied()) {
        format!("`{attribute}` has no key `{name}`; did you mean `{meant}`?")
    } else {
        format!("`{attribute}` has no key `{name}`{}", also(keys))
    };
    errors.at(key, message);
    false
}

/// The keys that there are, to end a message.
fn also(keys: &Keys) -> String {
    let names: Vec<_> = keys.known.iter().map(|key| format!("`{key}`")).collect();
    match &names[..] {
        [] => String::new(),
        [only] => format!("; its only key is {only}"),
        _ => format!("; the keys of `{}` are {}", keys.attribute, names.join(", ")),
    }
}

/// Splits at commas outside of angle brackets, so that a value may be a generic type.
fn split_at_commas(tokens: TokenStream) -> Vec<Vec<TokenTree>> {
    let mut segments = vec![Vec::new()];
    let mut depth = 0_i32;
    let mut arrow = false;
    for token in tokens {
        if let TokenTree::Punct(punct) = &token {
            match punct.as_char() {
                ',' if depth <= 0 => {
                    segments.push(Vec::new());
                    continue;
                }
                '<' => depth += 1,
                '>' if !arrow => depth -= 1,
                _ => {}
            }
            arrow = starts_arrow(punct);
        }
        segments.last_mut().expect("there is always a segment").push(token);
    }
    segments
}

fn starts_arrow(punct: &Punct) -> bool {
    matches!(punct.as_char(), '-' | '=') && punct.spacing() == Spacing::Joint
}

#[cfg(test)]
mod tests {
    use super::*;
    use quote::quote;

    const KEYS: Keys = Keys {
        attribute: "#[test]",
        known: &["name", "state", "skip"],
        later: &["check"],
        elsewhere: &[("wrap", "`wrap` stands on a parameter")],
    };

    fn parse(tokens: TokenStream) -> (Args, String) {
        let mut errors = Errors::default();
        let args = Args::parse(tokens, &KEYS, &mut errors);
        (args, errors.finish().to_string())
    }

    #[test]
    fn values_may_contain_commas_in_angle_brackets() {
        let (args, errors) = parse(quote!(name = "a", state = Map<K, fn(A) -> B>, skip,));
        assert_eq!(errors, "");
        assert_eq!(args.keys().count(), 3);
        let mut errors = Errors::default();
        let state: syn::Type = args.value("state", "a type", "App", &mut errors).unwrap();
        assert!(matches!(state, syn::Type::Path(_)));
        assert_eq!(args.string("name", &mut errors).unwrap().value(), "a");
        assert!(args.flag("skip", &mut errors).is_some());
        assert_eq!(errors.finish().to_string(), "");
    }

    #[test]
    fn each_mistake_has_its_message() {
        for (tokens, message) in [
            (quote!(nmae = "a"), "did you mean `name`?"),
            (quote!(check = "a"), "not supported yet"),
            (quote!(wrap), "`wrap` stands on a parameter"),
            (quote!(zzz), "the keys of `#[test]` are `name`, `state`, `skip`"),
            (quote!(name = "a", name = "b"), "given twice"),
            (quote!("a"), "expected `key = value`"),
            (quote!(name "a"), "expected `key = value`"),
        ] {
            let (_, errors) = parse(tokens);
            assert!(errors.contains(message), "{errors}");
        }
    }

    #[test]
    fn a_value_of_the_wrong_kind_is_reported() {
        for tokens in [quote!(name = 3), quote!(name), quote!(name =)] {
            let (args, _) = parse(tokens);
            let mut errors = Errors::default();
            assert!(args.string("name", &mut errors).is_none());
            assert!(errors.finish().to_string().contains("takes a string literal"));
        }
    }
}
