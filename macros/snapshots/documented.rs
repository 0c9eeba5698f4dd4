//! Documentation goes to the function that links and to `SIGNATURES`.

#[host_module(name = "files")]
impl Files {
    /// Opens a file.
    ///
    /// Twice is an error.
    fn open(path: &Text) -> New<File> {
        New(File)
    }

    #[doc = include_str!("close.md")]
    fn close(file: &File) {}
}
