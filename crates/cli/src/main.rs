//! The `regrid` command: reports, and says by its exit code how it went. What is to be done is decided in `args`.

#![deny(unsafe_code)]

#[cfg(all(target_os = "linux", target_env = "gnu"))]
mod allocator;
mod amount;
mod args;
mod axis;
#[cfg(unix)]
mod crash;
mod drawing;
mod failure;
mod info;
mod interrupt;
mod plan;
mod quote;
mod room;
mod rows;
mod run;
mod weights;

use std::panic;

use crate::args::Order;
use crate::failure::Failure;

#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[global_allocator]
static ALLOCATOR: allocator::Pages = allocator::Pages;

fn main() -> ! {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    allocator::return_large();
    // Panics are reported like other failures, in one line; those of tasks come back as errors.
    panic::set_hook(Box::new(|_| {}));
    #[cfg(unix)]
    crash::watch();
    let done = panic::catch_unwind(work).unwrap_or_else(|cause| Err(Failure::panicked(&*cause)));
    let last_word = interrupt::last_word();
    let code = match done {
        Ok(()) => 0,
        Err(failure) => {
            failure.report();
            failure.exit_code()
        }
    };
    // All is said and written. An interrupt that comes now does not speak as well, and what is left to tidy up the system takes
    // back faster.
    std::mem::forget(last_word);
    interrupt::leave(code)
}

fn work() -> Result<()> {
    match args::parse(std::env::args_os())? {
        Order::Help(text) => rows::print(&text),
        Order::Info(files) => info::print(&files),
        Order::Weights(job) => weights::make(&job),
        Order::Regrid(job) => run::run(*job),
    }
}

/// What every part of the command gives back.
type Result<T, E = Failure> = std::result::Result<T, E>;
