//! Which tables of a module have the same size as long as they live: what is known of them need not be
//! looked up at every access.

use super::env::ModuleBody;
use crate::wasm::index::TableIndex;
use crate::wasm::module::{EntityIndex, ModuleInfo};

/// The prefix of the operators on tables, and the first bytes that the number of `table.grow` behind it can
/// have: numbers may be written longer than they need be.
const PREFIX: u8 = 0xfc;
const TABLE_GROW: [u8; 2] = [0x0f, 0x8f];

/// By table, the number of its elements if that never changes: its type says so, or nobody can grow it.
pub(super) fn fixed_lens(info: &ModuleInfo, bodies: &[ModuleBody<'_>]) -> Box<[Option<u64>]> {
    let mut private: Vec<_> =
        (0..info.tables.len()).map(|table| table >= info.imported_tables as usize).collect();
    for (_, entity) in &info.exports {
        if let EntityIndex::Table(TableIndex(table)) = entity {
            private[*table as usize] = false;
        }
    }
    let tables = info.tables.iter().map(|table| table.ty.limits);
    let may_grow: Vec<_> = tables.clone().map(|limits| limits.max != Some(limits.min)).collect();
    // Most modules have no table for which one must look.
    let matters = may_grow.iter().zip(&private).any(|(may_grow, private)| *may_grow && *private);
    let grows = matters && bodies.iter().any(|body| may_hold_table_grow(body.code.as_bytes()));
    let is_fixed = |table: usize| !may_grow[table] || private[table] && !grows;
    tables.enumerate().map(|(table, limits)| is_fixed(table).then_some(limits.min)).collect()
}

/// Whether `table.grow` may be among the operators that these bytes encode; it is not if they encode none.
fn may_hold_table_grow(code: &[u8]) -> bool {
    code.windows(2).any(|bytes| bytes[0] == PREFIX && TABLE_GROW.contains(&bytes[1]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compile::translate::ModuleEnv;
    use crate::compile::{Tunables, host_isa};
    use crate::wasm::decode::decode;

    fn lens_of(module: &str) -> Vec<Option<u64>> {
        let wasm = wat::parse_str(module).unwrap();
        let decoded = decode(&wasm, wasmparser::WasmFeatures::WASM3).unwrap();
        let tunables = Tunables::default();
        let isa = host_isa(&tunables).unwrap();
        let env = ModuleEnv::new(&decoded.info, &tunables, &*isa, decoded.bodies);
        env.fixed_table_lens.to_vec()
    }

    const TABLES: &str = r#"
        (import "host" "open" (table 1 funcref))
        (import "host" "closed" (table 2 2 funcref))
        (table 3 funcref)
        (table 4 4 funcref)
        (table 5 9 externref)
        (table (export "open") 6 externref)
        (table (export "closed") 7 7 externref)"#;

    #[test]
    fn a_table_is_fixed_by_its_type_or_if_nobody_can_grow_it() {
        let access = "(func (drop (table.get 2 (i32.const 0))) (drop (table.size 4)))";
        let lens = [None, Some(2), Some(3), Some(4), Some(5), None, Some(7)];
        assert_eq!(lens_of(&format!("(module {TABLES} {access})")), lens);
    }

    #[test]
    fn who_grows_one_table_may_grow_all() {
        let grow = "(func (drop (table.grow 4 (ref.null extern) (i32.const 1))))";
        let lens = [None, Some(2), None, Some(4), None, None, Some(7)];
        assert_eq!(lens_of(&format!("(module {TABLES} (func) {grow})")), lens);
    }

    #[test]
    fn table_grow_is_found_however_its_number_is_written() {
        for number in [&[0x0f][..], &[0x8f, 0x00], &[0x8f, 0x80, 0x80, 0x80, 0x00]] {
            let code = [&[0x41, 0x00, 0xfc], number, &[0x00]].concat();
            assert!(may_hold_table_grow(&code), "{code:x?}");
            let reader = wasmparser::BinaryReader::new(&code[2..], 0);
            let operator = wasmparser::OperatorsReader::new(reader).read().unwrap();
            assert!(matches!(operator, wasmparser::Operator::TableGrow { .. }), "{operator:?}");
        }
        // `table.size`, `table.fill`, and a constant.
        assert!(!may_hold_table_grow(&[0xfc, 0x10, 0x00, 0xfc, 0x11, 0x00, 0x41, 0x0f]));
    }
}
