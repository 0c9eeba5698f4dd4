//! The engines side by side: one file each, with the same names in it, so that most workloads are written
//! once and compiled for each. What differs between the APIs stands in these files alone.

pub mod hostref;
pub mod wasmi;
pub mod wasmtime;

use anyhow::Result;

use crate::measure::Run;
use crate::results::{HOSTREF, WASMI, WASMTIME};

/// Compiles a block for each of several engines: `rt` is the engine's file.
macro_rules! per_engine {
    ($rt:ident in [$($engine:ident),+] $body:block) => {
        $({
            use $crate::engines::$engine as $rt;
            $body
        })+
    };
}
pub(crate) use per_engine;

/// A loop in a guest: an export that takes a number of turns and returns a checksum.
#[derive(Clone, Copy)]
pub struct Loop {
    pub workload: &'static str,
    pub export: &'static str,
    /// What the figures are for.
    pub per: &'static str,
    /// How many of these a turn has.
    pub operations: f64,
    /// An export to call first, with its argument.
    pub setup: Option<(&'static str, i32)>,
    /// The same in Rust.
    pub native: Option<fn(u32) -> u32>,
}

impl Loop {
    pub const fn new(workload: &'static str, export: &'static str, per: &'static str) -> Loop {
        Loop { workload, export, per, operations: 1.0, setup: None, native: None }
    }

    pub const fn operations(self, operations: f64) -> Loop {
        Loop { operations, ..self }
    }

    pub const fn after(self, export: &'static str, argument: i32) -> Loop {
        Loop { setup: Some((export, argument)), ..self }
    }

    pub const fn native(self, native: fn(u32) -> u32) -> Loop {
        Loop { native: Some(native), ..self }
    }
}

/// An engine that runs loops of guests.
pub struct Peer {
    pub name: &'static str,
    /// Makes a fresh instance of a guest in a fresh engine, and prepares one of its loops.
    pub guest_loop: fn(&str, &Loop) -> Result<Run>,
}

/// hostref, its host functions by macro.
pub const HOSTREF_PEER: Peer = Peer { name: HOSTREF, guest_loop: hostref::guest_loop };
/// hostref, its host functions by `func_wrap`.
pub const FUNC_WRAP_PEER: Peer =
    Peer { name: "hostref func_wrap", guest_loop: hostref::func_wrap_loop };
/// Wasmtime as it is by default.
pub const WASMTIME_PEER: Peer = Peer { name: WASMTIME, guest_loop: wasmtime::guest_loop };
/// wasmi, an interpreter, which knows neither GC nor exceptions.
pub const WASMI_PEER: Peer = Peer { name: WASMI, guest_loop: wasmi::guest_loop };

/// The engines with fuel, which says how much a guest may still do.
pub const WITH_FUEL: [Peer; 3] = [
    Peer { name: HOSTREF, guest_loop: hostref::fuel_loop },
    Peer { name: WASMTIME, guest_loop: wasmtime::fuel_loop },
    Peer { name: WASMI, guest_loop: wasmi::fuel_loop },
];
/// The engines with epochs, at which a guest can be interrupted.
pub const WITH_EPOCHS: [Peer; 2] = [
    Peer { name: HOSTREF, guest_loop: hostref::epoch_loop },
    Peer { name: WASMTIME, guest_loop: wasmtime::epoch_loop },
];

/// For guests that need proposals which wasmi lacks.
pub const COMPILERS: [Peer; 2] = [HOSTREF_PEER, WASMTIME_PEER];
/// For all other guests.
pub const ALL: [Peer; 3] = [HOSTREF_PEER, WASMTIME_PEER, WASMI_PEER];
