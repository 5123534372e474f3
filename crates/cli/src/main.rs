//! The `regrid` command: reports, and says by its exit code how it went. What is to be done is decided in `args`.

#![forbid(unsafe_code)]

mod amount;
mod args;
mod axis;
mod drawing;
mod failure;
mod info;
mod interrupt;
mod plan;
mod quote;
mod rows;
mod run;

use std::process::ExitCode;

use crate::args::Order;
use crate::failure::Failure;

fn main() -> ExitCode {
    let done = args::parse(std::env::args_os()).and_then(|order| match order {
        Order::Help(text) => rows::print(&text),
        Order::Info(files) => info::print(&files),
        Order::Regrid(job) => run::run(*job),
    });
    let last_word = interrupt::last_word();
    match done {
        Ok(()) => {
            // Held to the end, so that an interrupt that comes now does not speak as well.
            std::mem::forget(last_word);
            ExitCode::SUCCESS
        }
        Err(failure) => {
            failure.report();
            interrupt::leave(failure.exit_code())
        }
    }
}

/// What every part of the command gives back.
type Result<T, E = Failure> = std::result::Result<T, E>;
