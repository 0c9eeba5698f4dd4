//! The nearest of several names to a misspelt one. Knows nothing of attributes.

/// The candidate that `name` is most likely a misspelling of.
pub(crate) fn nearest<'a>(
    name: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    let limit = name.chars().count().div_ceil(3);
    let distance = |candidate| strsim::damerau_levenshtein(name, candidate);
    let distances = candidates.into_iter().map(|candidate| (distance(candidate), candidate));
    let (distance, candidate) = distances.min_by_key(|(distance, _)| *distance)?;
    (distance <= limit).then_some(candidate)
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn a_slip_is_recognised_and_another_word_is_not() {
        let keys = ["name", "receiver", "state"];
        assert_eq!(nearest("reciever", keys), Some("receiver"));
        assert_eq!(nearest("nam", keys), Some("name"));
        assert_eq!(nearest("memory", keys), None);
        assert_eq!(nearest("", keys), None);
    }
}
