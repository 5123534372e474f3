//! A progress bar, an ordinary [`Observer`].

use std::fmt;

use indicatif::{ProgressDrawTarget, ProgressStyle};

use crate::observe::{Observer, RunEnd, RunView, TaskEnd, TaskView};

/// Draws counts, a bar and the time left, on a terminal only.
/// ```
/// use delayed::{ProgressBar, Run, delayed};
/// Run::new().observe(ProgressBar::stderr()).compute(delayed(|| 1))?;
/// # Ok::<(), delayed::Error>(())
/// ```
pub struct ProgressBar {
    bar: indicatif::ProgressBar,
}

impl ProgressBar {
    /// A bar on standard error; nothing is drawn if that is no terminal.
    pub fn stderr() -> Self {
        let bar = indicatif::ProgressBar::with_draw_target(Some(0), ProgressDrawTarget::stderr());
        let style = ProgressStyle::with_template(
            "{bar:40} {pos}/{len} tasks {elapsed} eta {eta} {wide_msg}",
        );
        bar.set_style(style.expect("the template is valid"));
        ProgressBar { bar }
    }
}

impl Observer for ProgressBar {
    fn run_started(&self, run: &RunView<'_>) {
        self.bar.reset();
        self.bar.set_length(run.tasks() as u64);
    }

    fn task_started(&self, task: &TaskView<'_>, _: usize) {
        if !self.bar.is_hidden() {
            self.bar.set_message(task.label().to_string());
        }
    }

    fn task_finished(&self, _: &TaskView<'_>, _: &TaskEnd) {
        self.bar.inc(1);
    }

    fn task_skipped(&self, _: &TaskView<'_>) {
        self.bar.inc(1);
    }

    fn run_finished(&self, _: RunEnd) {
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
