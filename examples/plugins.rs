//! A host for text plug-ins: text goes in and out through the guest's memory, a document is an object of
//! the host that the guest holds, and numbers come back through an out-pointer.
//!
//! `cargo run --example plugins`

use hostref::{
    Caller, Engine, ExternRef, HostObject, Linker, Module, Ptr, Result, Rooted, Store, host_module,
    wasm_exports,
};

/// The lines that a plug-in collects. The host counts the memory that they take.
#[derive(HostObject)]
#[host_object(size = Document::bytes)]
struct Document {
    lines: Vec<String>,
}

impl Document {
    fn bytes(&self) -> usize {
        self.lines.capacity() * size_of::<String>()
    }
}

#[host_module(receiver = "object", state = Host)]
impl Document {
    fn new() -> Document {
        Document { lines: Vec::with_capacity(16) }
    }

    /// `line` is borrowed from the guest's memory: nothing is copied but what the document keeps.
    fn push(&mut self, line: &str) {
        self.lines.push(line.to_owned());
    }

    fn sort(&mut self) {
        self.lines.sort();
    }

    /// Writes the length of the longest line to `length`, and says whether there is one.
    fn longest(&self, cx: &mut Caller<'_, Host>, length: Ptr<u32>) -> Result<bool> {
        let Some(longest) = self.lines.iter().map(|line| line.len()).max() else {
            return Ok(false);
        };
        length.write(cx, longest as u32)?;
        Ok(true)
    }
}

/// The store's data.
#[derive(Default)]
struct Host {
    log: Vec<String>,
}

#[host_module(name = "text", receiver = "state")]
impl Host {
    /// The longest line that a plug-in need accept.
    #[host(global)]
    const LIMIT: u32 = 40;

    fn upper(text: &mut [u8]) {
        text.make_ascii_uppercase();
    }

    fn log(&mut self, line: &str) {
        self.log.push(line.to_owned());
    }
}

#[wasm_exports]
struct Plugin {
    begin: fn(),
    /// Says whether the line was taken.
    #[export(alloc = "malloc")]
    line: fn(text: &str) -> bool,
    finish: fn() -> Rooted<ExternRef<Document>>,
}

fn main() -> Result<()> {
    let engine = Engine::default();
    let module = Module::new(&engine, include_str!("plugins.wat"))?;
    let mut linker = Linker::new(&engine);
    Document::add_to_linker(&mut linker)?;
    Host::add_to_linker(&mut linker, |host: &mut Host| host)?;

    let mut store = Store::new(&engine, Host::default());
    let plugin = Plugin::instantiate(&mut store, &module, &linker)?;
    plugin.call_begin(&mut store)?;
    for line in
        ["to be or not", "a far too long line that the plug-in refuses", "be brief", "äöü too"]
    {
        if !plugin.call_line(&mut store, line)? {
            println!("refused: {line}");
        }
    }
    let document = plugin.call_finish(&mut store)?;
    for line in &document.data(&store)?.lines {
        println!("{line}");
    }
    println!("{}", store.data().log.join("\n"));
    Ok(())
}
