//! The values of `rename_all`, as in serde. Only spells names differently.

use heck::{ToKebabCase, ToLowerCamelCase, ToShoutySnakeCase, ToSnakeCase, ToUpperCamelCase};

/// How Wasm names are made from Rust names.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Case {
    /// As written.
    #[default]
    Verbatim,
    Lower,
    Upper,
    Pascal,
    Camel,
    Snake,
    ShoutySnake,
    Kebab,
    ShoutyKebab,
}

impl Case {
    /// The spellings that `rename_all` accepts; each is an example of itself.
    pub(crate) const NAMES: [(&str, Case); 8] = [
        ("lowercase", Case::Lower),
        ("UPPERCASE", Case::Upper),
        ("PascalCase", Case::Pascal),
        ("camelCase", Case::Camel),
        ("snake_case", Case::Snake),
        ("SCREAMING_SNAKE_CASE", Case::ShoutySnake),
        ("kebab-case", Case::Kebab),
        ("SCREAMING-KEBAB-CASE", Case::ShoutyKebab),
    ];

    /// The case called `name`.
    pub(crate) fn from_name(name: &str) -> Option<Case> {
        Case::NAMES.iter().find(|(known, _)| *known == name).map(|(_, case)| *case)
    }

    /// `name`, a Rust identifier without `r#`, in this case.
    pub(crate) fn apply(self, name: &str) -> String {
        match self {
            Case::Verbatim => name.to_owned(),
            Case::Lower => name.to_lowercase(),
            Case::Upper => name.to_uppercase(),
            Case::Pascal => name.to_upper_camel_case(),
            Case::Camel => name.to_lower_camel_case(),
            Case::Snake => name.to_snake_case(),
            Case::ShoutySnake => name.to_shouty_snake_case(),
            Case::Kebab => name.to_kebab_case(),
            Case::ShoutyKebab => name.to_shouty_snake_case().replace('_', "-"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Case;

    #[test]
    fn every_name_is_an_example_of_itself() {
        for (name, case) in Case::NAMES {
            let words = match case {
                Case::Lower | Case::Upper => name,
                _ => &name.replace('-', "_"),
            };
            assert_eq!(case.apply(words), name);
            assert_eq!(Case::from_name(name), Some(case));
        }
        assert_eq!(Case::Verbatim.apply("as_Is"), "as_Is");
    }
}
