//! Functions with parameters under `#[cfg]`: one form for each outcome of the conditions, for a
//! parameter that is configured out is absent in Wasm too.

use syn::Attribute;

use super::model::{Function, Param};
use crate::cfgs;
use crate::errors::Errors;

/// The most conditions on the parameters of one function.
const MOST_CONDITIONS: usize = 4;

/// The forms of `function`, each under its `#[cfg]`s; the only one when there are no conditions.
pub(super) fn of(function: Function, errors: &mut Errors) -> Vec<Function> {
    let mut conditions: Vec<Attribute> = Vec::new();
    for cfg in function.params.iter().flat_map(|param| &param.cfgs) {
        if !conditions.iter().any(|known| cfgs::equal(known, cfg)) {
            conditions.push(cfg.clone());
        }
    }
    if let Some(extra) = conditions.get(MOST_CONDITIONS) {
        errors.at(
            extra,
            format!(
                "at most {MOST_CONDITIONS} different conditions can stand on the parameters of one \
                 function; write the function twice, each under its `#[cfg]`"
            ),
        );
        conditions.truncate(MOST_CONDITIONS);
    }
    let outcomes = 0..1_usize << conditions.len();
    outcomes.map(|outcome| variant(&function, &conditions, outcome)).collect()
}

/// The form in which the conditions hold whose bits are clear in `outcome`.
fn variant(function: &Function, conditions: &[Attribute], outcome: usize) -> Function {
    let holds = |position: usize| outcome >> position & 1 == 0;
    let mut variant = function.clone();
    for (position, condition) in conditions.iter().enumerate() {
        variant.cfgs.push(match holds(position) {
            true => condition.clone(),
            false => cfgs::negated(condition),
        });
    }
    let fails = |cfg: &Attribute| {
        let position = conditions.iter().position(|condition| cfgs::equal(condition, cfg));
        position.is_none_or(|position| !holds(position))
    };
    variant.params.retain(|Param { cfgs, .. }| !cfgs.iter().any(fails));
    variant
}
