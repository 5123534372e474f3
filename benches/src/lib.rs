//! The benchmarks stand beside this file, one file a question; this library is empty.
