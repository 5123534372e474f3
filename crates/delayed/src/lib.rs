//! Lazy task graphs.
