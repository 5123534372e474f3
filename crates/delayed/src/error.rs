//! What can go wrong: which task, where the user built it, and why.

use std::{fmt, panic::Location, path::PathBuf};

use crate::key::{Key, Label};

/// The cause a user's task gave, boxed.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// A result whose error is [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a run gave no values, or a graph could not be made or written.
///
/// It displays in one line, without its [`source`](std::error::Error::source); [`Several`](Self::Several), which has none, with the causes of
/// the first failure. As debug text it is the whole [report](Self::report), which is what a `main` that returns it prints.
/// ```
/// let error = delayed::try_delayed(|| "x".parse::<u8>()).named("parse").compute().unwrap_err();
/// assert!(error.to_string().starts_with("task `parse` (built at "));
/// assert!(format!("{error:?}").contains("cause: invalid digit found in string"));
/// ```
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A task returned an error.
    #[error("task {task} failed")]
    Failed {
        /// Which task.
        task: Box<TaskTrace>,
        /// What it returned.
        source: BoxError,
    },
    /// A task panicked; the run went down, the program did not.
    #[error("task {task} panicked{}: {message}", Place(place))]
    Panicked {
        /// Which task.
        task: Box<TaskTrace>,
        /// What the panic said.
        message: String,
        /// File, line and column of the panic, where known.
        place: Option<String>,
    },
    /// Several tasks failed: in a run that was told to keep going, or since they were running when the first one did.
    #[error("{} tasks failed, the first: {}", errors.len(), WithCauses(&errors[0]))]
    Several {
        /// One error for each task that failed, in rank order; never empty.
        errors: Vec<Error>,
    },
    /// The run's [`CancelToken`](crate::CancelToken) was used.
    #[error("the run was cancelled")]
    Cancelled,
    /// One task was asked for twice in one call, and its only value can be handed out once.
    #[error("task {task} is asked for twice in one run; ask for `.cloned()` of it the second time")]
    AskedTwice {
        /// Which task.
        task: Box<TaskTrace>,
    },
    /// A task's value alone is expected to be bigger than the run's memory limit.
    #[error(
        "task {task} is expected to make {bytes} bytes, more than the memory limit of {limit}: raise the limit, or let the task make less at a time"
    )]
    TooBig {
        /// Which task.
        task: Box<TaskTrace>,
        /// What it was said to make.
        bytes: u64,
        /// What the run may hold.
        limit: u64,
    },
    /// A task that was given a [key](crate::Delayed::keyed) of its own shares it with another one.
    #[error(
        "two tasks have the key `{key}`, one built at {}, the other at {}: give each its own, or use `named` if they may share a name",
        sites[0],
        sites[1]
    )]
    RepeatedKey {
        /// The key.
        key: Key,
        /// Where the two were built.
        sites: [&'static Location<'static>; 2],
    },
    /// The graph that a [`flatten`](crate::Delayed::flatten) runs needs its own result.
    #[error("a cycle: the graph that this `flatten` runs needs the flattened value itself")]
    Cycle,
    /// Runs within tasks of other runs, so many on one thread that its stack could overflow.
    #[error(
        "{runs} runs within each other on one thread: does a task compute itself? (steps that follow each other need no nesting: build them in a loop)"
    )]
    TooDeep {
        /// How many.
        runs: usize,
    },
    /// An output name was used twice in one [`GraphBuilder`](crate::GraphBuilder).
    #[error("the output name {name:?} is used twice: give each output its own")]
    RepeatedOutput {
        /// The name.
        name: String,
    },
    /// A picture or a profile could not be written.
    #[error("cannot write {}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
}

/// Of so many failures a report tells; the fields of the error tell of all.
const FAILURES: usize = 10;
/// Of so many causes at each end a report tells.
const CAUSES: usize = 6;

impl Error {
    /// The task that failed first, if the error is about a task.
    pub fn task(&self) -> Option<&TaskTrace> {
        match self {
            Error::Failed { task, .. }
            | Error::Panicked { task, .. }
            | Error::AskedTwice { task }
            | Error::TooBig { task, .. } => Some(task),
            Error::Several { errors } => errors.first().and_then(Error::task),
            _ => None,
        }
    }

    /// All that is known, on several lines: task, place, inputs up to the roots, lost outputs, and every cause down to the first.
    ///
    /// ```
    /// use delayed::delayed;
    /// let read = delayed(|| vec![1, 2]).named("read").map(|v| v.len()).named("count");
    /// let error = read.try_map(|n| Err::<u8, _>(format!("{n} is too few"))).named("check").compute().unwrap_err();
    /// println!("{}", error.report());
    /// assert!(error.report().contains("cause: 2 is too few"));
    /// ```
    pub fn report(&self) -> String {
        let mut text = String::new();
        self.report_to(&mut text);
        text
    }

    fn report_to(&self, text: &mut String) {
        use std::fmt::Write;
        let mut line = |name: &str, what: &dyn fmt::Display| {
            writeln!(text, "{name}: {what}").expect("writing to a string");
        };
        match self {
            Error::Several { errors } => {
                line("failed tasks", &errors.len());
                for error in errors.iter().take(FAILURES) {
                    text.push('\n');
                    error.report_to(text);
                }
                if errors.len() > FAILURES {
                    let more = errors.len() - FAILURES;
                    writeln!(text, "\nand {more} more failed tasks").expect("writing to a string");
                }
                return;
            }
            Error::Failed { task, source } => {
                line("failed", &format_args!("`{}`", task.key));
                line("cause", source);
            }
            Error::Panicked {
                task,
                message,
                place,
            } => {
                line("panicked", &format_args!("`{}`", task.key));
                line("message", message);
                if let Some(place) = place {
                    line("     at", place);
                }
            }
            other => line("error", other),
        }
        let first = std::error::Error::source(self);
        let deeper = match self {
            Error::Failed { .. } => first.and_then(std::error::Error::source),
            _ => first,
        };
        let causes: Vec<_> = std::iter::successors(deeper, |cause| cause.source()).collect();
        for (place, cause) in causes.iter().enumerate() {
            // Of a long chain the ends tell most; the first cause of all is the last.
            match place {
                CAUSES if causes.len() > 2 * CAUSES => {
                    line(
                        "  since",
                        &format_args!("... {} more ...", causes.len() - 2 * CAUSES),
                    );
                }
                _ if place < CAUSES || place + CAUSES >= causes.len() => line("  since", cause),
                _ => {}
            }
        }
        let (Error::Failed { task, .. } | Error::Panicked { task, .. }) = self else {
            return;
        };
        line("built at", task.site);
        if let Some(group) = &task.group {
            line("group", group);
        }
        let (near, far) = task.inputs_in_two();
        let quoted =
            |keys: &[Key]| -> Vec<String> { keys.iter().map(|key| format!("`{key}`")).collect() };
        let mut chain = quoted(near);
        if task.inputs_left_out > 0 {
            chain.push(format!("... {} more ...", task.inputs_left_out));
        }
        chain.extend(quoted(far));
        if !chain.is_empty() {
            line("inputs", &chain.join(" <- "));
        }
        if !task.outputs.is_empty() {
            line("lost outputs", &quoted(&task.outputs).join(", "));
        }
    }

    /// Whether the run stopped because it was told to.
    pub fn is_cancelled(&self) -> bool {
        matches!(self, Error::Cancelled)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.report().trim_end())
    }
}

/// An error with all its causes, for an error that can be the source of none since it is one of several.
struct WithCauses<'a>(&'a Error);

impl fmt::Display for WithCauses<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)?;
        let first = std::error::Error::source(self.0);
        for cause in std::iter::successors(first, |cause| cause.source()) {
            write!(f, ": {cause}")?;
        }
        Ok(())
    }
}

struct Place<'a>(&'a Option<String>);

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(place) => write!(f, " at {place}"),
            None => Ok(()),
        }
    }
}

/// A task as an error tells of it: its names, where it was built, what led to it and what is lost with it.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct TaskTrace {
    /// Its name in the graph of the run.
    pub key: Key,
    /// Its label.
    pub label: Label,
    /// Its group, if it has one.
    pub group: Option<String>,
    /// Where in the user's code it was built.
    pub site: &'static Location<'static>,
    /// The chain of inputs: the task's first input, that one's first input, and so on up to one without inputs. Of a chain longer than
    /// 16 the first and the last 8.
    pub inputs: Vec<Key>,
    /// How many are left out in the middle.
    pub inputs_left_out: usize,
    /// The outputs of the run that cannot be had without it; at most 16.
    pub outputs: Vec<Key>,
    /// Whether equal pure tasks were one in that graph: the numbers of keys depend on it.
    pub(crate) merged: bool,
}

impl TaskTrace {
    /// The inputs before and after those that are left out.
    fn inputs_in_two(&self) -> (&[Key], &[Key]) {
        let middle = if self.inputs_left_out > 0 {
            self.inputs.len() / 2
        } else {
            self.inputs.len()
        };
        self.inputs.split_at(middle)
    }
}

impl fmt::Display for TaskTrace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "`{}` (built at {}:{}:{}",
            self.key,
            self.site.file(),
            self.site.line(),
            self.site.column()
        )?;
        let between = |place| if place == 0 { " from" } else { " <-" };
        if let [near @ .., _, _, root] = &self.inputs[..]
            && near.len() > 2
        {
            for (place, key) in near.iter().take(3).enumerate() {
                write!(f, "{} `{key}`", between(place))?;
            }
            write!(f, " <- ... <- `{root}`")?;
        } else {
            for (place, key) in self.inputs.iter().enumerate() {
                write!(f, "{} `{key}`", between(place))?;
            }
        }
        if let Some(output) = self.outputs.iter().find(|output| **output != self.key) {
            write!(f, ", needed for `{output}`")?;
            if self.outputs.len() > 1 {
                write!(f, " and {} more", self.outputs.len() - 1)?;
            }
        }
        f.write_str(")")
    }
}

/// What a task left behind instead of a value.
#[derive(Debug)]
pub(crate) enum Cause {
    Error(BoxError),
    Panic {
        message: String,
        place: Option<String>,
    },
}
