//! Measures what several engines take for one workload: short batches in turn, so that whatever else
//! the machine does falls on all of them alike. Knows nothing of WebAssembly.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};

/// Runs a number of turns, and returns a checksum of what they have computed.
pub type Run = Box<dyn FnMut(u32) -> Result<u64>>;

/// Takes one figure of its own, such as bytes of memory or the longest of many calls.
pub type Gauge = Box<dyn FnMut() -> Result<f64>>;

/// How long to measure.
#[derive(Clone, Copy)]
pub struct Settings {
    /// What a batch should take at least.
    pub batch: Duration,
    /// Batches of each engine.
    pub rounds: u32,
    /// What all batches of a workload may take before the number of rounds is reduced.
    pub budget: Duration,
}

impl Settings {
    /// For results that are published.
    pub const FULL: Settings =
        Settings { batch: Duration::from_millis(5), rounds: 21, budget: Duration::from_secs(4) };

    /// For a first look.
    pub const QUICK: Settings =
        Settings { batch: Duration::from_millis(1), rounds: 5, budget: Duration::from_millis(500) };

    const LEAST_ROUNDS: u32 = 2;

    /// The rounds of a workload of which one round takes `round`.
    fn rounds(&self, round: Duration) -> u32 {
        let affordable = self.budget.as_nanos() / round.as_nanos().max(1);
        self.rounds.min(u32::try_from(affordable).unwrap_or(u32::MAX)).max(Self::LEAST_ROUNDS)
    }
}

/// What a time is taken by.
#[derive(Clone, Copy)]
pub enum Clock {
    /// The processor time of this thread: what other processes take does not count.
    Thread,
    /// The time that passes: for work that other threads share.
    Wall,
}

impl Clock {
    /// The time that work takes.
    pub fn time<R>(self, work: impl FnOnce() -> Result<R>) -> Result<Duration> {
        match self {
            Clock::Thread => {
                let start = thread_time();
                work()?;
                Ok(thread_time() - start)
            }
            Clock::Wall => {
                let start = Instant::now();
                work()?;
                Ok(start.elapsed())
            }
        }
    }
}

/// The processor time that this thread has had.
fn thread_time() -> Duration {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `time` is a place to write to, and the clock exists on every Linux.
    let status = unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &raw mut time) };
    assert_eq!(status, 0, "the clock of this thread's processor time can be read");
    let seconds = u64::try_from(time.tv_sec).expect("processor time is not negative");
    let nanos = u32::try_from(time.tv_nsec).expect("below one second");
    Duration::new(seconds, nanos)
}

/// How many turns a batch has.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Turns {
    /// As many as a batch takes.
    Calibrated,
    /// As many as the check: for turns that take longer than a batch by themselves.
    Checked,
}

/// Times runs. Returns the nanoseconds of one turn
/// in each round, for each run; fails if the runs disagree about `check` turns.
pub fn times(
    runs: &mut [(&'static str, Run)],
    check: u32,
    turns: Turns,
    clock: Clock,
    settings: &Settings,
) -> Result<Vec<Vec<f64>>> {
    let started = Instant::now();
    agree(runs, check)?;
    let mut round = started.elapsed();
    let mut turns_of = vec![check; runs.len()];
    if turns == Turns::Calibrated {
        round = Duration::ZERO;
        for ((_, run), turns) in runs.iter_mut().zip(&mut turns_of) {
            let time;
            (*turns, time) = calibrate(run, clock, settings.batch)?;
            round += time;
        }
    }
    let mut gauges: Vec<_> = runs
        .iter_mut()
        .zip(turns_of)
        .map(|((_, run), turns)| {
            move || Ok(clock.time(|| run(turns))?.as_nanos() as f64 / f64::from(turns))
        })
        .collect();
    interleave(&mut gauges, settings.rounds(round))
}

/// Takes figures, one of each gauge in each round.
pub fn figures(gauges: &mut [(&'static str, Gauge)], rounds: u32) -> Result<Vec<Vec<f64>>> {
    let mut gauges: Vec<_> = gauges.iter_mut().map(|(_, gauge)| gauge).collect();
    interleave(&mut gauges, rounds)
}

/// Each round begins with another gauge, so that none always follows the same.
fn interleave(gauges: &mut [impl FnMut() -> Result<f64>], rounds: u32) -> Result<Vec<Vec<f64>>> {
    let mut samples = vec![Vec::new(); gauges.len()];
    for round in 0..rounds as usize {
        for turn in 0..gauges.len() {
            let which = (round + turn) % gauges.len();
            samples[which].push(gauges[which]()?);
        }
    }
    Ok(samples)
}

fn agree(runs: &mut [(&'static str, Run)], turns: u32) -> Result<()> {
    let mut first: Option<(&str, u64)> = None;
    for (engine, run) in runs {
        let sum = run(turns)?;
        let (other, expected) = *first.get_or_insert((engine, sum));
        ensure!(sum == expected, "{other} computes {expected:#x}, but {engine} {sum:#x}");
    }
    Ok(())
}

/// The number of turns that take about `batch`, and what they take.
fn calibrate(run: &mut Run, clock: Clock, batch: Duration) -> Result<(u32, Duration)> {
    const MOST: u32 = 1 << 30;
    let mut turns = 1;
    loop {
        let time = clock.time(|| run(turns))?;
        if time >= batch || turns >= MOST {
            return Ok((turns, time));
        }
        let factor = batch.as_nanos() as f64 / time.as_nanos().max(1) as f64 * 1.1;
        turns = (f64::from(turns) * factor.clamp(1.2, 16.0)).ceil().min(f64::from(MOST)) as u32;
    }
}
