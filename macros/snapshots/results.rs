//! Results: several, fallible, new objects, by other names.

#[host_module]
impl HostString {
    fn concat(a: &Text, b: &Text) -> New<Text> {
        New(Text)
    }

    fn split(text: &Text) -> (i32, Option<New<Text>>) {
        (0, None)
    }

    fn parse(text: &Text) -> Outcome<i64> {
        Ok(0)
    }
}
