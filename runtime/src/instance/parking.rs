//! Where threads wait for others to wake them, by address in a shared memory. Knows nothing of the
//! memory: that the awaited value is still there is for the caller to look up.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How waiting for a change in a [`SharedMemory`](crate::SharedMemory) ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WaitResult {
    /// Another thread woke this one.
    Ok = 0,
    /// It did not begin: the memory held another value than the expected one.
    Mismatch = 1,
    /// Nobody woke this thread in time.
    TimedOut = 2,
}

/// The threads that wait at the addresses of one memory.
#[derive(Default)]
pub(crate) struct Parking {
    /// The queues, first come first; none is empty. Whoever waits looks at the memory under this
    /// lock, and whoever wakes others has changed the memory before it takes it, so that none of
    /// them misses the other.
    queues: Mutex<HashMap<u64, VecDeque<Arc<Waiter>>>>,
}

type Queues<'a> = MutexGuard<'a, HashMap<u64, VecDeque<Arc<Waiter>>>>;

/// A thread in a queue. One that was woken is in no queue.
#[derive(Default)]
struct Waiter {
    /// Read and written under the lock of the queues.
    woken: AtomicBool,
    wake: Condvar,
}

impl Parking {
    /// Waits at `address`, if `unchanged` says that the awaited change has not come yet, until
    /// [`notify`](Parking::notify) or for `timeout`; for ever without one.
    pub(crate) fn wait(
        &self,
        address: u64,
        timeout: Option<Duration>,
        unchanged: impl FnOnce() -> bool,
    ) -> WaitResult {
        // A deadline beyond what clocks can tell is none.
        let deadline = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
        let mut queues = self.lock();
        if !unchanged() {
            return WaitResult::Mismatch;
        }
        let waiter = Arc::new(Waiter::default());
        queues.entry(address).or_default().push_back(waiter.clone());
        loop {
            queues = match deadline {
                None => waiter.wake.wait(queues).unwrap_or_else(PoisonError::into_inner),
                Some(deadline) => {
                    let left = deadline.saturating_duration_since(Instant::now());
                    if left.is_zero() {
                        leave(&mut queues, address, &waiter);
                        return WaitResult::TimedOut;
                    }
                    let outcome = waiter.wake.wait_timeout(queues, left);
                    outcome.unwrap_or_else(PoisonError::into_inner).0
                }
            };
            if waiter.woken.load(Ordering::Relaxed) {
                return WaitResult::Ok;
            }
        }
    }

    /// Wakes at most `count` threads that wait at `address`, those that have waited longest, and
    /// returns how many.
    pub(crate) fn notify(&self, address: u64, count: u32) -> u32 {
        let mut queues = self.lock();
        let Some(queue) = queues.get_mut(&address) else { return 0 };
        let mut woken = 0;
        while woken < count
            && let Some(waiter) = queue.pop_front()
        {
            waiter.woken.store(true, Ordering::Relaxed);
            waiter.wake.notify_one();
            woken += 1;
        }
        if queue.is_empty() {
            queues.remove(&address);
        }
        woken
    }

    fn lock(&self) -> Queues<'_> {
        self.queues.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Takes a thread that nobody woke out of its queue.
fn leave(queues: &mut Queues<'_>, address: u64, waiter: &Arc<Waiter>) {
    let queue = queues.get_mut(&address).expect("who was not woken is in its queue");
    queue.retain(|other| !Arc::ptr_eq(other, waiter));
    if queue.is_empty() {
        queues.remove(&address);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    /// Comes back when `count` threads wait at `address`.
    fn until_waiting(parking: &Parking, address: u64, count: usize) {
        while parking.lock().get(&address).map_or(0, VecDeque::len) < count {
            std::thread::yield_now();
        }
    }

    #[test]
    fn who_came_first_is_woken_first() {
        let parking = Parking::default();
        let (sender, woken) = mpsc::channel();
        std::thread::scope(|scope| {
            for number in 0..4 {
                let (parking, sender) = (&parking, sender.clone());
                scope.spawn(move || {
                    assert_eq!(parking.wait(8, None, || true), WaitResult::Ok);
                    sender.send(number).unwrap();
                });
                until_waiting(parking, 8, number + 1);
            }
            assert_eq!(parking.notify(16, u32::MAX), 0);
            assert_eq!(parking.notify(8, 0), 0);
            for number in 0..3 {
                assert_eq!(parking.notify(8, 1), 1);
                assert_eq!(woken.recv(), Ok(number));
            }
            assert_eq!(parking.notify(8, u32::MAX), 1);
        });
        assert!(parking.lock().is_empty());
    }

    /// Who changed the value afterwards can wake nobody before this thread is in the queue.
    #[test]
    fn the_value_is_looked_up_under_the_lock() {
        let parking = Parking::default();
        for unchanged in [false, true] {
            parking.wait(0, Some(Duration::ZERO), || {
                assert!(parking.queues.try_lock().is_err());
                unchanged
            });
            assert!(parking.queues.try_lock().is_ok());
        }
    }

    #[test]
    fn who_is_too_late_or_too_early_is_not_counted() {
        let parking = Parking::default();
        assert_eq!(parking.wait(0, None, || false), WaitResult::Mismatch);
        assert_eq!(parking.wait(0, Some(Duration::ZERO), || true), WaitResult::TimedOut);
        let short = Some(Duration::from_millis(1));
        assert_eq!(parking.wait(0, short, || true), WaitResult::TimedOut);
        assert!(parking.lock().is_empty());
        assert_eq!(parking.notify(0, u32::MAX), 0);
    }

    #[test]
    fn a_thread_that_gives_up_leaves_the_others_in_order() {
        let parking = Parking::default();
        std::thread::scope(|scope| {
            let first = scope.spawn(|| parking.wait(0, None, || true));
            until_waiting(&parking, 0, 1);
            let short = Some(Duration::from_millis(1));
            assert_eq!(parking.wait(0, short, || true), WaitResult::TimedOut);
            // The longest time there is overflows no clock.
            let last = scope.spawn(|| parking.wait(0, Some(Duration::MAX), || true));
            until_waiting(&parking, 0, 2);
            assert_eq!(parking.notify(0, 1), 1);
            assert_eq!(first.join().unwrap(), WaitResult::Ok);
            assert_eq!(parking.notify(0, u32::MAX), 1);
            assert_eq!(last.join().unwrap(), WaitResult::Ok);
        });
    }
}
