//! What will be alive at once on several threads: the scheduler's choices played through on paper.
//!
//! How long tasks take decides which worker is free first; all else is as in a run: the next dependent first, then what others left, then a
//! task without inputs, if there is room.
//!
//! Who knows how long tasks take [says so](Run::expected_peak_by); some are then played a little shorter and longer, as no two take the same
//! time in a run. Else a task is taken to last as long as the bytes are many that it makes and reads; tasks without inputs, or those that
//! make nothing, perhaps several times as long. Of such plays the one with the most alive counts.
//!
//! Who knows what tasks hold beside their values [watches](Run::rehearse) how the run goes.

mod play;

use std::num::NonZero;
use std::thread;
use std::time::Duration;

use play::{Sketch, Threads, Watch};

use crate::{graph::Graph, outputs::Outputs, run::Run, task::Notes};

/// Plays in which tasks last as long as was said, but for so many hundredths more or less.
const UNEVEN: [u64; 5] = [20, 10, 30, 0, 40];
/// Tasks that are played in all, about: of many the first plays are enough, as in each all happens that may happen.
const PLAYED: usize = 1_000_000;

/// For how many nanoseconds a thread keeps its core while others wait for one: about as long as Linux lets it.
const SLICE: u64 = 4_000_000;

/// What is known of a task before it runs, to say how long it may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct ExpectedTask<'t> {
    /// Its [group](crate::Delayed::group); empty if nothing was said.
    pub group: &'t str,
    /// Its [step](crate::Delayed::step); empty if nothing was said.
    pub step: &'t str,
    /// The [expected size](crate::Delayed::bytes) of its value; 0 if nothing was said.
    pub bytes: u64,
    /// That of all values that it reads.
    pub input_bytes: u64,
}

/// Who knows about how long tasks take, and wants to see how a run [goes on paper](Run::rehearse).
///
/// Tasks have numbers, in the order in which they are made known.
pub trait Rehearsal {
    /// There is such a task. All are known before the run begins.
    fn knows(&mut self, task: &ExpectedTask<'_>);

    /// The run begins, or begins anew, otherwise uneven.
    fn begins(&mut self);

    /// A task starts: from now on there has to be room for its value. Says about how long it will take. The proportion to others
    /// matters; on more threads than cores, where they take turns every few milliseconds, so does the time itself.
    fn starts(&mut self, task: usize) -> Duration;

    /// A task ends.
    fn ends(&mut self, task: usize);

    /// The value of a task that has ended goes: nobody needs it any more.
    fn goes(&mut self, task: usize);
}

impl Graph {
    /// The most bytes alive at once when `threads` run the tasks, with a [memory limit](crate::Run::memory_limit) or without, by what tasks
    /// were said to make.
    ///
    /// On one thread it is just that, on several about that: there, it depends on how long tasks take.
    /// ```
    /// use delayed::{Graph, delayed};
    /// let parts: Vec<_> = (0..9).map(|i| delayed(move || vec![i; 100]).bytes(400).map(|part| part[0]).bytes(4)).collect();
    /// let graph = Graph::of(parts);
    /// assert_eq!(graph.expected_peak(1, None), 400 + 9 * 4);
    /// assert!((800..900).contains(&graph.expected_peak(2, None)));
    /// assert!(graph.expected_peak(2, Some(500)) <= 500 + 9 * 4);
    /// ```
    pub fn expected_peak(&self, threads: usize, memory_limit: Option<u64>) -> u64 {
        let sketch = Sketch::of_graph(self);
        sketch.peak_on(threads, memory_limit)
    }

    /// The most bytes and values alive at once when the tasks run one after another.
    pub(crate) fn peak(&self) -> (u64, usize) {
        Sketch::of_graph(self).peak()
    }
}

impl Run {
    /// [`Graph::expected_peak`] of what `outputs` need, on the threads and with the memory limit of this run, without the graph.
    /// ```
    /// use delayed::{Run, delayed};
    /// let parts: Vec<_> = (0..9).map(|i| delayed(move || vec![i; 100]).bytes(400).map(|part| part[0]).bytes(4)).collect();
    /// assert_eq!(Run::new().threads(1).expected_peak(&parts), 400 + 9 * 4);
    /// ```
    pub fn expected_peak(&self, outputs: impl Outputs) -> u64 {
        let mut wanted = Vec::new();
        outputs.nodes(&mut wanted);
        let sketch = Sketch::of_frozen(&self.freeze(&wanted));
        sketch.peak_on(self.workers(), self.memory_limit)
    }

    /// The same, by who knows about how long tasks take: of durations only the proportion to each other matters.
    /// ```
    /// use std::time::Duration;
    /// use delayed::{Run, delayed};
    /// let part = |i| delayed(move || vec![i; 100]).step("read").bytes(400);
    /// let sums: Vec<_> = (0..9).map(|i| part(i).map(|part| part[0]).step("add up").bytes(4)).collect();
    /// let peak = Run::new().threads(2).expected_peak_by(&sums, |task| match task.step {
    ///     "read" => Duration::from_millis(5),
    ///     _ => Duration::from_nanos(task.input_bytes),
    /// });
    /// assert!((2 * 400..=2 * 400 + 9 * 4).contains(&peak));
    /// ```
    pub fn expected_peak_by(
        &self,
        outputs: impl Outputs,
        mut lasts: impl FnMut(&ExpectedTask<'_>) -> Duration,
    ) -> u64 {
        let mut known = Vec::new();
        let sketch = self.sketched(&outputs, |task| known.push(nanoseconds(lasts(task))));
        let threads = Threads::apart(self.workers());
        let plays = self.unevenness(sketch.len()).map(|most| {
            let each = known.iter().zip(0..);
            each.map(|(&lasts, task)| unevenly(lasts, task, most))
                .collect()
        });
        let peaks = plays.map(|lasts| sketch.peak_where(threads, self.memory_limit, lasts));
        peaks.max().unwrap_or(0)
    }

    /// Plays the run through on paper, for somebody who sees what starts, ends and goes: on one thread once, on several a few times,
    /// since no two runs are the same.
    ///
    /// What tasks hold while they run, beside their values, can be added up so:
    /// ```
    /// use std::time::Duration;
    /// use delayed::{ExpectedTask, Rehearsal, Run, delayed};
    ///
    /// #[derive(Default)]
    /// struct Beside { each: Vec<u64>, held: u64, most: u64 }
    ///
    /// impl Rehearsal for Beside {
    ///     fn knows(&mut self, task: &ExpectedTask<'_>) {
    ///         self.each.push(if task.step == "read" { 50 } else { 10 });
    ///     }
    ///     fn begins(&mut self) { self.held = 0; }
    ///     fn starts(&mut self, task: usize) -> Duration {
    ///         self.held += self.each[task];
    ///         self.most = self.most.max(self.held);
    ///         Duration::from_millis(1)
    ///     }
    ///     fn ends(&mut self, task: usize) { self.held -= self.each[task]; }
    ///     fn goes(&mut self, _: usize) {}
    /// }
    ///
    /// let part = |i| delayed(move || vec![i; 100]).step("read").bytes(400);
    /// let sums: Vec<_> = (0..9).map(|i| part(i).map(|part| part[0]).step("add up").bytes(4)).collect();
    /// let mut beside = Beside::default();
    /// Run::new().threads(1).rehearse(&sums, &mut beside);
    /// assert_eq!(beside.most, 50);
    /// Run::new().threads(2).rehearse(&sums, &mut beside);
    /// assert_eq!(beside.most, 100);
    /// ```
    ///
    /// Says which [memory limit](Run::memory_limit) lets a run go like one of the plays, the last but one by what they take, and no
    /// further: where a thread loses its core, the others go ahead of it else. Of one thread there is nothing to be said.
    pub fn rehearse(&self, outputs: impl Outputs, rehearsal: &mut impl Rehearsal) -> Option<u64> {
        let sketch = self.sketched(&outputs, |task| rehearsal.knows(task));
        let cores = thread::available_parallelism().map_or(1, NonZero::get);
        let threads = Threads::on_cores(self.workers(), cores, SLICE);
        let mut held = Vec::new();
        for most in self.unevenness(sketch.len()) {
            rehearsal.begins();
            let mut watch = Uneven { rehearsal, most };
            held.extend(sketch.play(threads, self.memory_limit, &mut watch));
        }
        held.sort_unstable();
        let usual = *held.get(held.len() / 4)?;
        Some(u64::try_from(usual).unwrap_or(u64::MAX))
    }

    /// What is to be run; each task is made known.
    fn sketched(&self, outputs: &impl Outputs, mut knows: impl FnMut(&ExpectedTask<'_>)) -> Sketch {
        let mut wanted = Vec::new();
        outputs.nodes(&mut wanted);
        let frozen = self.freeze(&wanted);
        let sketch = Sketch::of_frozen(&frozen);
        for (task, node) in frozen.nodes().enumerate() {
            let mut knows = |group: &str, step: &str| {
                knows(&ExpectedTask {
                    group,
                    step,
                    bytes: sketch.bytes[task],
                    input_bytes: sketch.input_bytes(task as u32),
                });
            };
            let noted = node.with_notes(|notes: &Notes| {
                let [group, step] = [&notes.group, &notes.step].map(|said| said.as_deref());
                knows(group.unwrap_or_default(), step.unwrap_or_default());
            });
            if noted.is_none() {
                knows("", "");
            }
        }
        sketch
    }

    /// By how many hundredths tasks last more or less in each play.
    fn unevenness(&self, tasks: usize) -> impl Iterator<Item = u64> + use<> {
        // One thread does one after another, however long they last.
        let count = match self.workers() {
            ..=1 => 1,
            _ => PLAYED / tasks.max(1),
        };
        UNEVEN.into_iter().take(count.max(1))
    }
}

/// A rehearsal in which tasks last a little more or less than it says.
struct Uneven<'r, R> {
    rehearsal: &'r mut R,
    most: u64,
}

impl<R: Rehearsal> Watch for Uneven<'_, R> {
    fn starts(&mut self, task: u32) -> u64 {
        let lasts = nanoseconds(self.rehearsal.starts(task as usize));
        unevenly(lasts, u64::from(task), self.most)
    }

    fn ends(&mut self, task: u32) {
        self.rehearsal.ends(task as usize);
    }

    fn goes(&mut self, task: u32) {
        self.rehearsal.goes(task as usize);
    }
}

fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

/// How long something lasts, more or less by up to so many hundredths: which of them depends on its number.
fn unevenly(lasts: u64, number: u64, most: u64) -> u64 {
    // Steele, Lea and Flood 2014: neighbouring numbers have nothing in common then.
    let mixed = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9) >> 32;
    let hundredths = 100 - most + mixed % (2 * most + 1);
    let lasts = u128::from(lasts) * u128::from(hundredths) / 100;
    u64::try_from(lasts).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Profile, Run, apply, delayed};

    #[test]
    fn what_was_expected_is_what_a_profile_shows() {
        let pole = delayed(|| 0_u8).named("pole").bytes(10);
        let chunks: Vec<_> = (0..40_usize)
            .map(|i| {
                let parts: Vec<_> = (0..3)
                    .map(|j| delayed(|| ()).named(format!("read {i} {j}")).bytes(100))
                    .collect();
                apply((parts, &pole), |_| ())
                    .named("regrid")
                    .bytes(50)
                    .map(|()| ())
                    .named("write")
            })
            .collect();
        let graph = Graph::of(chunks.clone());
        let profile = Profile::new();
        let run = Run::new().threads(1).observe(profile.clone());
        run.compute(&chunks).unwrap();
        assert_eq!(graph.expected_peak(1, None), 360);
        assert_eq!(profile.report().unwrap().peak_bytes, 360);
        let two = graph.expected_peak(2, None);
        assert!((400..=710).contains(&two), "{two}");
        let limited = graph.expected_peak(2, Some(450));
        assert!((360..=two).contains(&limited), "{limited}");
    }

    fn lasts(task: &ExpectedTask<'_>) -> Duration {
        Duration::from_millis(if task.step == "read" { 10 } else { 1 })
    }

    /// Adds up values, and values with what tasks of one step hold while they run.
    #[derive(Default)]
    struct Beside {
        of: &'static str,
        tasks: Vec<([u64; 2], Duration)>,
        held: [u64; 2],
        most: [u64; 2],
    }

    impl Rehearsal for Beside {
        fn knows(&mut self, task: &ExpectedTask<'_>) {
            let beside = if task.step == self.of { 1000 } else { 0 };
            self.tasks.push(([task.bytes, beside], lasts(task)));
        }

        fn begins(&mut self) {
            self.held = [0; 2];
        }

        fn starts(&mut self, task: usize) -> Duration {
            let ([bytes, beside], lasts) = self.tasks[task];
            self.held[0] += bytes;
            self.held[1] += bytes + beside;
            for (most, held) in self.most.iter_mut().zip(self.held) {
                *most = held.max(*most);
            }
            lasts
        }

        fn ends(&mut self, task: usize) {
            self.held[1] -= self.tasks[task].0[1];
        }

        fn goes(&mut self, task: usize) {
            self.held
                .iter_mut()
                .for_each(|held| *held -= self.tasks[task].0[0]);
        }
    }

    #[test]
    fn what_a_task_holds_while_it_runs_counts_for_as_long() {
        let parts: Vec<_> = (0..20)
            .map(|_| delayed(|| ()).step("read").bytes(100))
            .collect();
        let chunks: Vec<_> = parts
            .iter()
            .map(|part| part.map(|()| ()).step("regrid").bytes(10))
            .collect();
        let beside = |threads: usize, of: &'static str| {
            let mut rehearsal = Beside {
                of,
                ..Beside::default()
            };
            Run::new()
                .threads(threads)
                .rehearse(&chunks, &mut rehearsal);
            let values = Run::new().threads(threads).expected_peak_by(&chunks, lasts);
            assert_eq!(rehearsal.most[0], values);
            rehearsal.most[1]
        };
        // The last part is read beside nineteen chunks, and regridded.
        assert_eq!(beside(1, ""), 100 + 20 * 10);
        assert_eq!(beside(1, "read"), 1100 + 19 * 10);
        assert_eq!(beside(1, "regrid"), 1100 + 20 * 10);
        // Two read at once, as a rule; two regrid only if they end at once.
        assert!((2200..2400).contains(&beside(2, "read")));
        assert!((1200..=2400).contains(&beside(2, "regrid")));
        assert!((2 * 100 + 18 * 10..=2 * 110 + 18 * 10).contains(&beside(2, "")));
    }

    /// Parts that are added one after another; the third addition lasts so long that all others could be read meanwhile.
    fn parts_that_wait() -> Vec<crate::Delayed<u8>> {
        let part = |i: u8| delayed(move || i).step("read").bytes(100);
        let first = part(0).map(|part| *part).bytes(1);
        let sums = (1..60_u8).scan(first, |sum, i| {
            let add = move |(sum, part): (&u8, &u8)| {
                if i == 3 {
                    std::thread::sleep(Duration::from_millis(100));
                }
                sum.wrapping_add(*part)
            };
            *sum = apply((&*sum, &part(i)), add).bytes(1);
            Some(sum.clone())
        });
        sums.last().into_iter().collect()
    }

    #[test]
    fn a_run_that_is_held_to_most_plays_goes_no_further_where_a_thread_is_late() {
        let sums = parts_that_wait();
        let run = Run::new().threads(2);
        let found = |run: Run| {
            let profile = Profile::new();
            run.observe(profile.clone()).compute(&sums).unwrap();
            profile.report().unwrap().peak_bytes
        };
        let mut rehearsal = Beside::default();
        let usual = run.rehearse(&sums, &mut rehearsal).unwrap();
        assert!((200..1000).contains(&usual), "{usual}");
        assert!(found(run.clone().memory_limit_at_most(usual)) <= usual);
        let else_found = found(run);
        assert!(else_found > 2 * usual, "{else_found}");
        let alone = Run::new().threads(1).rehearse(&sums, &mut rehearsal);
        assert_eq!(alone, None);
    }
}
