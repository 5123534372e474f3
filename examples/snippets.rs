//! Makes documentation tests of the Rust snippets on pages that are read as they stand, on the web or in an editor.
//!
//! What a test needs and a reader does not is added here, hidden: the folder that paths start from, and the error type
//! of `?`.

use std::path::Path;
use std::{env, fs};

const PAGES: [&str; 4] = [
    "README.md",
    "docs/guide.md",
    "docs/graphs.md",
    "docs/from-dask.md",
];
const HEAD: &str =
    "# std::env::set_current_dir(concat!(env!(\"CARGO_MANIFEST_DIR\"), \"/..\")).unwrap();\n";
const FOOT: &str = "# Ok::<(), Box<dyn std::error::Error>>(())\n";

fn main() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let out = env::var_os("OUT_DIR").expect("cargo sets it");
    for page in PAGES {
        let path = root.join(page);
        println!("cargo::rerun-if-changed={}", path.display());
        let text =
            fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let name = path.file_name().expect("a page is a file");
        fs::write(Path::new(&out).join(name), with_hidden_lines(&text))
            .expect("cargo made the folder");
    }
}

fn with_hidden_lines(page: &str) -> String {
    let mut tests = String::new();
    // Whether the line stands in a block, and in one of Rust that runs.
    let (mut fenced, mut runs) = (false, false);
    for line in page.lines() {
        let fence = line.starts_with("```");
        if fence && fenced && runs {
            tests += FOOT;
        }
        tests += line;
        tests += "\n";
        if fence {
            fenced = !fenced;
            runs = fenced && line.starts_with("```rust") && !line.contains("compile_fail");
            if runs {
                tests += HEAD;
            }
        }
    }
    tests
}
