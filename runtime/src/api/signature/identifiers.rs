//! Names of Wasm as identifiers of a guest's language. Decides spelling and clashes, knows no
//! language by itself.

use std::collections::HashSet;

/// The identifiers that are taken in one scope of a guest's source.
pub(super) struct Scope {
    keywords: &'static [&'static str],
    taken: HashSet<String>,
}

impl Scope {
    /// An empty scope of a language with these words for itself.
    pub(super) fn new(keywords: &'static [&'static str]) -> Scope {
        Scope { keywords, taken: HashSet::new() }
    }

    /// An identifier for `name` that nothing else in this scope has.
    pub(super) fn claim(&mut self, name: &str) -> String {
        let base = identifier(name);
        let mut candidate = base.clone();
        let mut number = 2;
        while self.keywords.contains(&candidate.as_str()) || !self.taken.insert(candidate.clone()) {
            candidate = format!("{base}_{number}");
            number += 1;
        }
        candidate
    }
}

/// `name` with an underscore in the place of all that identifiers cannot have.
fn identifier(name: &str) -> String {
    let name: String =
        name.chars().map(|char| if char.is_ascii_alphanumeric() { char } else { '_' }).collect();
    let usable = name.starts_with(|char: char| !char.is_ascii_digit())
        && name.contains(|char: char| char != '_');
    match usable {
        true => name,
        false => format!("arg{name}"),
    }
}

#[cfg(test)]
mod tests {
    use super::Scope;

    #[test]
    fn every_name_gets_an_identifier_of_its_own() {
        let mut scope = Scope::new(&["while"]);
        let names = ["log-line", "log_line", "while", "3d", "_", "", "größe", "log_line_2"];
        let found = names.map(|name| scope.claim(name));
        let expected =
            ["log_line", "log_line_2", "while_2", "arg3d", "arg_", "arg", "gr__e", "log_line_2_2"];
        assert_eq!(found, expected);
    }
}
