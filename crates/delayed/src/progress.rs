//! A progress bar, an ordinary [`Observer`].

use std::{
    fmt,
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    time::Duration,
};

use indicatif::{ProgressDrawTarget, ProgressStyle};

use crate::{
    explain::Bytes,
    observe::{Observer, RunEnd, RunView, TaskEnd, TaskView},
};

const TICK: Duration = Duration::from_millis(250);

/// Draws a bar with counts, expected bytes made so far, the time left and the task that started last; on a terminal only.
///
/// Bytes are shown if any task was [said](crate::Delayed::bytes) to make some.
/// ```
/// use delayed::{ProgressBar, Run, delayed};
/// Run::new().observe(ProgressBar::stderr()).compute(delayed(|| 1))?;
/// # Ok::<(), delayed::Error>(())
/// ```
pub struct ProgressBar {
    bar: indicatif::ProgressBar,
    made: AtomicU64,
    expected: AtomicU64,
}

impl ProgressBar {
    /// A bar on standard error; nothing is drawn if that is no terminal.
    pub fn stderr() -> Self {
        Self::on(ProgressDrawTarget::stderr())
    }

    fn on(target: ProgressDrawTarget) -> Self {
        let bar = indicatif::ProgressBar::with_draw_target(Some(0), target);
        let style = ProgressStyle::with_template(
            "{bar:40} {pos}/{len} tasks{prefix} {elapsed}, {eta} left {wide_msg}",
        );
        bar.set_style(style.expect("the template is valid"));
        ProgressBar {
            bar,
            made: AtomicU64::new(0),
            expected: AtomicU64::new(0),
        }
    }

    fn step(&self, task: &TaskView<'_>) {
        self.bar.inc(1);
        if self.bar.is_hidden() || self.expected.load(Relaxed) == 0 {
            return;
        }
        if let Some(bytes) = task.bytes() {
            self.made.fetch_add(bytes, Relaxed);
            self.bar.set_prefix(self.bytes());
        }
    }

    /// What was made of what is expected.
    fn bytes(&self) -> String {
        let [made, expected] = [&self.made, &self.expected].map(|bytes| Bytes(bytes.load(Relaxed)));
        format!(", {made} of {expected}")
    }
}

impl Observer for ProgressBar {
    fn watches_tasks(&self) -> bool {
        !self.bar.is_hidden()
    }

    fn run_started(&self, run: &RunView<'_>) {
        self.bar.reset();
        self.bar.set_length(run.tasks() as u64);
        self.bar.set_prefix("");
        if !self.bar.is_hidden() {
            let bytes = (0..run.tasks()).filter_map(|rank| run.task(rank).bytes());
            self.made.store(0, Relaxed);
            self.expected
                .store(bytes.fold(0, u64::saturating_add), Relaxed);
            // So that the time goes on during a long task.
            self.bar.enable_steady_tick(TICK);
        }
    }

    fn task_started(&self, task: &TaskView<'_>, _: usize) {
        if !self.bar.is_hidden() {
            self.bar.set_message(task.label().to_string());
        }
    }

    fn task_finished(&self, task: &TaskView<'_>, _: &TaskEnd) {
        self.step(task);
    }

    fn task_skipped(&self, task: &TaskView<'_>) {
        self.step(task);
    }

    fn run_finished(&self, _: RunEnd) {
        self.bar.disable_steady_tick();
        self.bar.finish_and_clear();
    }
}

impl fmt::Debug for ProgressBar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "ProgressBar({}/{})",
            self.bar.position(),
            self.bar.length().unwrap_or(0)
        )
    }
}

#[cfg(test)]
mod tests {
    use std::{
        io,
        sync::{Arc, Mutex},
    };

    use indicatif::TermLike;

    use super::*;
    use crate::{Run, apply, delayed};

    /// A terminal that keeps all that was written on it.
    #[derive(Debug, Clone, Default)]
    struct Paper(Arc<Mutex<String>>);

    impl TermLike for Paper {
        fn width(&self) -> u16 {
            200
        }
        fn move_cursor_up(&self, _: usize) -> io::Result<()> {
            Ok(())
        }
        fn move_cursor_down(&self, _: usize) -> io::Result<()> {
            Ok(())
        }
        fn move_cursor_right(&self, _: usize) -> io::Result<()> {
            Ok(())
        }
        fn move_cursor_left(&self, _: usize) -> io::Result<()> {
            Ok(())
        }
        fn write_line(&self, text: &str) -> io::Result<()> {
            self.write_str(text)
        }
        fn write_str(&self, text: &str) -> io::Result<()> {
            self.0.lock().unwrap().push_str(text);
            Ok(())
        }
        fn clear_line(&self) -> io::Result<()> {
            Ok(())
        }
        fn flush(&self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn counts_bytes_and_the_time_left_are_shown() {
        let paper = Paper::default();
        let bar = Arc::new(ProgressBar::on(ProgressDrawTarget::term_like_with_hz(
            Box::new(paper.clone()),
            255,
        )));
        let reads: Vec<_> = (0..3)
            .map(|i| delayed(move || i).bytes(1 << 20).named("read"))
            .collect();
        let sum = apply(&reads, |reads| reads.into_iter().sum::<i32>()).named("sum");
        let watch = bar.clone();
        let last = sum.map(move |sum| {
            watch.bar.force_draw();
            *sum
        });
        Run::new()
            .threads(1)
            .observe(bar.clone())
            .compute(&last)
            .unwrap();
        let text = paper.0.lock().unwrap().clone();
        assert!(
            text.contains("4/5 tasks, 3.0 MiB of 3.0 MiB ") && text.contains(" left "),
            "{text}"
        );
    }
}
