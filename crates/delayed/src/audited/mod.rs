//! All unsafe code of the crate, in three files; each begins with the rules that make it sound, and every block names the one it
//! rests on.
//!
//! - [`values`]: where a task leaves its value, how its dependents borrow it, and when it is dropped.
//! - [`handle`]: owning a node of the graph together with others.
//! - [`pool`]: threads that outlive a run and work on what lies on its caller's stack.
//!
//! What the rest of the crate sees of them is safe to call in any order but for one thing, which only the scheduler and the typed inputs
//! can get wrong, and which the rules in [`values`] name: tasks run when their inputs have, and inputs are read as the types that they
//! were listed with. Loom models, here and in the scheduler, try every interleaving of handles, pool and sleeping workers.

#![expect(
    unsafe_code,
    reason = "values without an `Arc` each, nodes without a weak count, threads that outlive runs"
)]

pub(crate) mod handle;
pub(crate) mod pool;
pub(crate) mod values;
