//! What the user is told when something went wrong: one line, a hint in terms of the options, an exit code.

use std::error::Error as StdError;
use std::io;

use regrid::Error;

use crate::rows::say;

/// Why the command did not do what it was asked to.
#[derive(Debug)]
pub(crate) struct Failure {
    message: String,
    hint: Option<String>,
    wrong_usage: bool,
}

impl Failure {
    /// The command itself went wrong.
    pub(crate) fn panicked(cause: &(dyn std::any::Any + Send)) -> Self {
        let said = cause
            .downcast_ref::<String>()
            .map(String::as_str)
            .or_else(|| cause.downcast_ref::<&str>().copied());
        let said = said.unwrap_or("no reason was given");
        Self::failed(format!("this should not happen: {said}"))
            .hint("please report it with the command and, if you can, the file")
    }

    /// The command was typed wrongly.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            hint: Some("`regrid --help` explains the options".into()),
            wrong_usage: true,
        }
    }

    /// The command could not be done.
    pub(crate) fn failed(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            hint: None,
            wrong_usage: false,
        }
    }

    /// The system refused.
    pub(crate) fn system(what: &str, error: &io::Error) -> Self {
        Self::failed(format!("{what}: {}", without_code(&error.to_string())))
    }

    /// The user told it to stop.
    pub(crate) fn interrupted() -> Self {
        Self::failed("interrupted")
    }

    /// A target that an option names cannot be made.
    pub(crate) fn option(option: &str, error: &Error) -> Self {
        Self::usage(format!("{option}: {}", chain(error)))
    }

    /// The same with another hint.
    #[must_use]
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Says what is wrong, on standard error.
    pub(crate) fn report(&self) {
        let mut text = format!("regrid: error: {}\n", one_line(&self.message));
        if let Some(hint) = &self.hint {
            text += &format!("hint: {}\n", one_line(hint));
        }
        say(&text);
    }

    /// 1 for a failure, 2 for wrong usage.
    pub(crate) fn exit_code(&self) -> u8 {
        if self.wrong_usage { 2 } else { 1 }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        if let Error::Run(delayed::Error::Cancelled) = &error {
            return Self::interrupted();
        }
        let innermost = error.innermost();
        let own = innermost.downcast_ref::<Error>();
        // Dates that no calendar has, ranges that run backwards: only with the files at hand are they seen to be wrong.
        if let Some(Error::Time(time)) = own {
            return Self::usage(format!("--times: {time}"));
        }
        Self {
            message: chain(innermost),
            hint: own.and_then(hint),
            wrong_usage: false,
        }
    }
}

/// What would help, in terms of the command.
fn hint(error: &Error) -> Option<String> {
    let hint = match error {
        Error::OutputExists { .. } => "--force replaces it",
        Error::OutputBusy { .. } => "wait for it, or name another file with -o",
        Error::OtherLeftovers { .. } => {
            "the same command goes on where it stopped; without --resume, what is left is removed"
        }
        Error::OutputIsInput { .. } => "an input is never overwritten: name another file with -o",
        Error::TimeNotFound { hint, .. } if !hint.is_empty() => {
            "`--time-method nearest` or `--time-method linear` makes values for times in between"
        }
        Error::TimeNotFound { .. } => "`regrid info` shows the times there are",
        Error::NoTimeAxis { .. } => "leave it out with -v, or regrid it by itself without --times",
        Error::UnknownVariable { .. } => "`regrid info` shows what is in a file",
        Error::OutsideSource { .. } => {
            "`--outside missing`, `nearest` or `linear` says what such targets get"
        }
        Error::Conservation { .. } => {
            "-m area-weighted and second-order-conservative keep integrals; --report shows them"
        }
        Error::NoIntegral { .. } => "leave --max-error out, or the variable with -v",
        Error::CompatMethod { .. } => "leave --compat out, or take one of these with -m",
        Error::SeveralGrids { .. } | Error::NoGrid { .. } => {
            "`regrid info` shows what is on which grid; --grid, or --lat with --lon, name a target without a file"
        }
        Error::NotRegriddable { flags: true, .. } => {
            "`-m nearest` and `-m mode` take values as they are; `--average-flags` averages them all the same"
        }
        Error::NotRegriddable { .. } => "`regrid info` shows what can be regridded; -v names it",
        Error::WeightsGrid { .. } => {
            "`regrid weights` makes weights for these grids; without --weights they are made on the way; -v names variables on one grid"
        }
        Error::WeightsMethod { .. } => "leave -m out: the weights decide",
        Error::WeightsFile { .. } => {
            "`regrid weights` makes such a file, so do `cdo gencon` and its like, ESMF and xESMF"
        }
        Error::NotAMean { .. } => "regrid without --weights",
        Error::Join { .. } => {
            "-v names other variables; files that do not continue each other in time are regridded one by one"
        }
        Error::File { action, source, .. }
            if *action == "write" && source.kind() == io::ErrorKind::NotFound =>
        {
            "the output's folder has to exist"
        }
        Error::Netcdf { action, .. } if ["create", "write", "finish"].contains(action) => {
            "is there room on the disk?"
        }
        _ => return None,
    };
    Some(hint.to_owned())
}

/// An error and its causes, each said once.
fn chain(error: &(dyn StdError + 'static)) -> String {
    let mut text = without_code(&error.to_string());
    let mut cause = error.source();
    while let Some(error) = cause {
        let said = without_code(&error.to_string());
        if !text.contains(&said) {
            text += ": ";
            text += &said;
        }
        cause = error.source();
    }
    text
}

/// A system's message without the number in brackets, and without the temporary name that may follow it.
fn without_code(text: &str) -> String {
    match text.split_once(" (os error ") {
        Some((message, _)) => message.to_owned(),
        None => text.to_owned(),
    }
}

/// A text without line breaks: names from files may have any character.
fn one_line(text: &str) -> String {
    let words: Vec<&str> = text.lines().map(str::trim).collect();
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn not_found() -> Error {
        Error::File {
            action: "open",
            path: "a.nc".into(),
            source: io::Error::from_raw_os_error(2),
        }
    }

    #[test]
    fn causes_follow_without_repeating() {
        assert_eq!(
            Failure::from(not_found()).message,
            "cannot open a.nc: No such file or directory"
        );
        let coordinate = Error::Coordinate {
            variable: "lat".into(),
            path: "a.nc".into(),
            source: Box::new(Error::EmptyAxis {
                axis: regrid::AxisKind::Latitude,
            }),
        };
        assert_eq!(
            Failure::from(coordinate).message,
            "coordinate lat in a.nc is unusable: the latitude axis is empty"
        );
    }

    #[test]
    fn other_methods_are_offered_for_flags_alone() {
        let hint = |flags| {
            let refused = Error::NotRegriddable {
                variable: "t".into(),
                path: "a.nc".into(),
                reason: "its dimension nearest has no coordinate".into(),
                flags,
            };
            hint(&refused).unwrap()
        };
        assert!(hint(true).contains("--average-flags"));
        assert!(!hint(false).contains("--average-flags"));
    }

    #[test]
    fn what_a_task_met_comes_without_the_task() {
        let task = delayed::try_delayed(|| Err::<(), _>(not_found()));
        let error = Error::from(task.compute().unwrap_err());
        assert_eq!(
            Failure::from(error).message,
            "cannot open a.nc: No such file or directory"
        );
    }

    #[test]
    fn a_message_is_one_line() {
        assert_eq!(one_line("a\n  b"), "a b");
    }
}
