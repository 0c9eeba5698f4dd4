//! Makes failing modules smaller: fewer calls, fewer function bodies.

use std::sync::Arc;

use anyhow::Result;

use crate::plan::Plan;
use crate::rewrite;

/// The smallest module and plan found that still fail.
pub fn shrink(
    wasm: &[u8],
    plan: &Plan,
    fails: impl Fn(&[u8], &Arc<Plan>) -> bool,
) -> Result<(Vec<u8>, Arc<Plan>)> {
    let mut plan = plan.clone();
    let mut index = plan.calls.len();
    while index > 0 {
        index -= 1;
        let mut fewer = plan.clone();
        fewer.calls.remove(index);
        if fails(wasm, &Arc::new(fewer.clone())) {
            plan = fewer;
        }
    }
    let plan = Arc::new(plan);
    let mut dropped = vec![false; rewrite::body_count(wasm)?];
    for index in (0..dropped.len()).rev() {
        dropped[index] = true;
        let smaller = rewrite::without_bodies(wasm, |body| dropped[body])?;
        dropped[index] = fails(&smaller, &plan);
    }
    Ok((rewrite::without_bodies(wasm, |body| dropped[body])?, plan))
}
