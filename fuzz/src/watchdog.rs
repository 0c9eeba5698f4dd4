//! A case that does not end is a failure too: this ends the program and names it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// How long one case may take, in looks.
const PATIENCE: u32 = 12;
const LOOK: Duration = Duration::from_secs(10);

/// Watches the number of the current case.
#[derive(Clone)]
pub struct Watchdog(Arc<AtomicU64>);

impl Watchdog {
    /// Starts watching.
    pub fn start(seed: u64) -> Watchdog {
        let case = Arc::new(AtomicU64::new(u64::MAX));
        let watched = case.clone();
        std::thread::spawn(move || {
            let (mut last, mut looks) = (u64::MAX, 0);
            loop {
                std::thread::sleep(LOOK);
                let now = watched.load(Ordering::Relaxed);
                looks = if now == last { looks + 1 } else { 0 };
                last = now;
                if looks == PATIENCE {
                    eprintln!("seed {seed}, case {now} does not end");
                    std::process::abort();
                }
            }
        });
        Watchdog(case)
    }

    /// Notes the next case.
    pub fn next(&self, case: u64) {
        self.0.store(case, Ordering::Relaxed);
    }
}
