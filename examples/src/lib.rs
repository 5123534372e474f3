//! The examples stand beside this file, one file a question; this library is empty.
