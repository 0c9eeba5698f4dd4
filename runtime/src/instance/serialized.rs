//! A compiled module as bytes, for a later process on a machine of the same kind. Owns the format,
//! and decides which engine may load what; compiles and publishes nothing.
//!
//! ```text
//!  magic (8) | format version (4) | CRC-32 of the rest (4) | length of the rest (8)
//!  | settings | module | data segments | tables | relocations | text
//! ```
//!
//! Integers are little-endian. A part is what postcard makes of it; data and text are a length of 8
//! bytes and the bytes. The checksum finds accidents, not malice.

use std::borrow::Cow;
use std::cmp::Ordering;

use anyhow::{Context as _, anyhow, bail, ensure};
use serde::{Deserialize, Serialize};

use super::engine::{Engine, EngineShared};
use super::module::{CompiledModule, ModuleShared};
use crate::abi::code_map::CodeTables;
use crate::compile::{Artifact, Relocation};
use crate::error::Result;
use crate::wasm::features;
use crate::wasm::module::ModuleInfo;

/// What every compiled module begins with.
const MAGIC: [u8; 8] = *b"hostref\0";

/// The version of the format: of what stands in [`HEADER`], of the order of the parts, and of what is in
/// them.
const FORMAT: u32 = 3;

/// The bytes before the settings.
const HEADER: usize = 24;

/// Whether `bytes` begin as compiled modules do.
pub(crate) fn detect(bytes: &[u8]) -> bool {
    bytes.starts_with(&MAGIC)
}

/// How many bytes [`detect`] looks at.
pub(crate) const DETECT: usize = MAGIC.len();

impl<'a> CompiledModule<'a> {
    /// The module as bytes, compiled by `engine`.
    pub(crate) fn serialize(&self, engine: &Engine) -> Result<Vec<u8>> {
        let CompiledModule { info, data, artifact } = self;
        let Artifact { text, relocs, tables } = artifact;
        serialize(engine, &Parts { info, data, tables, relocs, text })
    }

    /// The module in `bytes`, to be published by `engine`.
    ///
    /// # Errors
    ///
    /// If `bytes` are no compiled module, or not whole, or one for another kind of engine.
    pub(crate) fn deserialize(engine: &Engine, bytes: &'a [u8]) -> Result<CompiledModule<'a>> {
        let mut reader = Reader { rest: contents(bytes)? };
        let required: Requirements<'_> = reader.part("settings")?;
        required.check(&Requirements::of(engine.shared()))?;
        let mut info: ModuleInfo = reader.part("module")?;
        info.index_exports();
        let data = reader.bytes("data segments")?.into();
        let tables: CodeTables = reader.part("tables")?;
        let relocs: Vec<Relocation> = reader.part("relocations")?;
        let text = Cow::Borrowed(reader.bytes("text")?);
        ensure!(reader.rest.is_empty(), "bytes follow the compiled module");
        Ok(CompiledModule { info, data, artifact: Artifact { text, relocs, tables } })
    }
}

impl ModuleShared {
    /// The module as bytes.
    pub(crate) fn serialize(&self) -> Result<Vec<u8>> {
        let code = self.code();
        serialize(
            &self.engine,
            &Parts {
                info: &self.info,
                data: self.all_data(),
                tables: code.tables(),
                relocs: code.relocs(),
                text: &code.text(),
            },
        )
    }
}

/// What a compiled module consists of.
struct Parts<'a> {
    info: &'a ModuleInfo,
    data: &'a [u8],
    tables: &'a CodeTables,
    relocs: &'a [Relocation],
    text: &'a [u8],
}

fn serialize(engine: &Engine, parts: &Parts<'_>) -> Result<Vec<u8>> {
    let Parts { info, data, tables, relocs, text } = parts;
    let mut out = vec![0; HEADER];
    part(&mut out, &Requirements::of(engine.shared()))?;
    part(&mut out, info)?;
    bytes(&mut out, data);
    part(&mut out, tables)?;
    part(&mut out, relocs)?;
    bytes(&mut out, text);
    let (header, rest) = out.split_at_mut(HEADER);
    header[..8].copy_from_slice(&MAGIC);
    header[8..12].copy_from_slice(&FORMAT.to_le_bytes());
    header[12..16].copy_from_slice(&crc32fast::hash(rest).to_le_bytes());
    header[16..24].copy_from_slice(&(rest.len() as u64).to_le_bytes());
    Ok(out)
}

fn part(out: &mut Vec<u8>, value: &(impl Serialize + ?Sized)) -> Result<()> {
    *out = postcard::to_extend(value, std::mem::take(out)).context("cannot serialize a module")?;
    Ok(())
}

fn bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    out.extend((bytes.len() as u64).to_le_bytes());
    out.extend(bytes);
}

/// What stands behind the header, if it is as it was written.
fn contents(bytes: &[u8]) -> Result<&[u8]> {
    let Some(rest) = bytes.strip_prefix(&MAGIC) else {
        let what = match bytes.starts_with(b"\0asm") {
            true => "a WebAssembly module that has not been compiled",
            false => "something else",
        };
        bail!("expected a module that `Module::serialize` wrote, found {what}");
    };
    let (format, rest) = rest.split_first_chunk().ok_or_else(truncated)?;
    let format = u32::from_le_bytes(*format);
    ensure!(
        format == FORMAT,
        "the compiled module has format version {format}, this version of hostref reads {FORMAT}"
    );
    let (expected, rest) = rest.split_first_chunk().ok_or_else(truncated)?;
    let (len, rest) = rest.split_first_chunk().ok_or_else(truncated)?;
    match (rest.len() as u64).cmp(&u64::from_le_bytes(*len)) {
        Ordering::Less => return Err(truncated()),
        Ordering::Greater => bail!("bytes follow the compiled module"),
        Ordering::Equal => {}
    }
    let intact = u32::from_le_bytes(*expected) == crc32fast::hash(rest);
    ensure!(intact, "the compiled module is corrupt: its checksum is wrong");
    Ok(rest)
}

fn truncated() -> crate::Error {
    anyhow!("the compiled module is truncated")
}

/// Reads part after part.
struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    fn part<T: Deserialize<'a>>(&mut self, name: &str) -> Result<T> {
        let (value, rest) = postcard::take_from_bytes(self.rest)
            .map_err(|error| anyhow!("the compiled module is corrupt: {error} in its {name}"))?;
        self.rest = rest;
        Ok(value)
    }

    fn bytes(&mut self, name: &str) -> Result<&'a [u8]> {
        let split = self.rest.split_first_chunk().and_then(|(len, rest)| {
            rest.split_at_checked(usize::try_from(u64::from_le_bytes(*len)).ok()?)
        });
        let (bytes, rest) =
            split.ok_or_else(|| anyhow!("the compiled module is corrupt: its {name} end early"))?;
        self.rest = rest;
        Ok(bytes)
    }
}

/// What must agree between the engine that compiled a module and the one that loads it.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Requirements<'a> {
    version: Cow<'a, str>,
    target: Cow<'a, str>,
    /// What changes the code, by name, with its value.
    code: Vec<(Cow<'a, str>, Cow<'a, str>)>,
    /// What instructions the code may use.
    processor: Vec<Cow<'a, str>>,
    /// What the module may have been accepted for.
    features: Vec<Cow<'a, str>>,
}

/// Settings of Cranelift that say how good the code is, not what it relies on.
const QUALITY: [&str; 3] = ["opt_level", "regalloc_algorithm", "enable_verifier"];

impl Requirements<'_> {
    fn of(engine: &EngineShared) -> Requirements<'static> {
        let (isa, tunables) = (&engine.code.isa, &engine.code.tunables);
        let ours = [
            ("epoch_interruption", tunables.epoch_interruption),
            ("consume_fuel", tunables.consume_fuel),
            ("relaxed_simd_deterministic", tunables.relaxed_simd_deterministic),
            ("cranelift_nan_canonicalization", tunables.canonicalize_nans),
            ("memory_reservation of 4 GiB", tunables.reserve_memories),
        ];
        let ours = ours.map(|(name, value)| (Cow::from(name), Cow::from(value.to_string())));
        let flags = isa.flags().iter().filter(|flag| !QUALITY.contains(&flag.name));
        let flags = flags.map(|flag| (flag.name.into(), flag.value_string().into()));
        let enabled = isa.isa_flags().into_iter().filter(|flag| flag.as_bool() == Some(true));
        Requirements {
            version: env!("CARGO_PKG_VERSION").into(),
            target: isa.triple().to_string().into(),
            code: ours.into_iter().chain(flags).collect(),
            processor: enabled.map(|flag| flag.name.into()).collect(),
            features: features::switches(engine.settings.features).map(Cow::from).collect(),
        }
    }

    /// Checks that code with these settings does in an engine with settings `here` what it should.
    fn check(&self, here: &Requirements<'_>) -> Result<()> {
        let same = |what: &str, found: &str, expected: &str| {
            let text = "the module was compiled";
            ensure!(found == expected, "{text} {what} {found}, this engine expects {expected}");
            Ok(())
        };
        same("by hostref", &self.version, &here.version)?;
        same("for the target", &self.target, &here.target)?;
        for (name, value) in &here.code {
            let found = self.code.iter().find(|(it, _)| it == name);
            let found = found.map_or("(absent)", |(_, value)| value);
            same(&format!("with {name} ="), found, value)?;
        }
        if let Some(missing) = self.processor.iter().find(|it| !here.processor.contains(it)) {
            bail!("the module was compiled for a processor with {missing}, which this one lacks");
        }
        if let Some(missing) = self.features.iter().find(|it| !here.features.contains(it)) {
            bail!(
                "the module was compiled with `Config::{missing}` on, this engine has it switched off"
            );
        }
        Ok(())
    }
}
