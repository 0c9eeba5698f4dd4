//! The list of files that must fail, and why.

use std::collections::BTreeMap;

/// Names of trials with the feature that each waits for.
pub(crate) struct ExpectedFailures(BTreeMap<String, String>);

impl ExpectedFailures {
    /// Reads the list: a `[feature]` heading, then the files that need it, one a line.
    pub(crate) fn parse(text: &str) -> Self {
        let mut files = BTreeMap::new();
        let mut feature = None;
        let lines = text.lines().map(|line| line.split('#').next().unwrap_or(line).trim());
        for line in lines.filter(|line| !line.is_empty()) {
            match line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
                Some(heading) => feature = Some(heading),
                None => {
                    let feature = feature.expect("a file in the list stands under a feature");
                    let previous = files.insert(line.to_owned(), feature.to_owned());
                    assert!(previous.is_none(), "{line} is listed twice");
                }
            }
        }
        ExpectedFailures(files)
    }

    /// What the file `name` waits for, if it is listed.
    pub(crate) fn reason(&self, name: &str) -> Option<String> {
        self.0.get(name).cloned()
    }

    /// The listed names that are not among `known`.
    pub(crate) fn without<'a>(&self, known: impl Iterator<Item = &'a str>) -> Vec<String> {
        let mut rest = self.0.clone();
        known.for_each(|name| drop(rest.remove(name)));
        rest.into_keys().collect()
    }
}
