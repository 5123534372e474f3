//! The commands that the guide and the README show run as they are written.

#![cfg(unix)]

use std::path::Path;
use std::process::Command;

/// The lines of a page's shell blocks that call the command.
fn commands(page: &str) -> Vec<String> {
    let text = std::fs::read_to_string(root().join(page)).unwrap();
    let blocks = text.split("```sh\n").skip(1);
    blocks
        .flat_map(|block| block.split("```").next().unwrap_or_default().lines())
        .filter(|line| line.starts_with("regrid "))
        .map(str::to_owned)
        .collect()
}

fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}

fn run_all(page: &str) {
    let folder = tempfile::tempdir().unwrap();
    let examples = root().canonicalize().unwrap().join("examples");
    std::os::unix::fs::symlink(examples, folder.path().join("examples")).unwrap();
    let command = Path::new(env!("CARGO_BIN_EXE_regrid"));
    let path = format!(
        "{}:{}",
        command.parent().unwrap().display(),
        std::env::var("PATH").unwrap_or_default()
    );
    let lines = commands(page);
    assert!(!lines.is_empty(), "{page} shows no command");
    for line in lines {
        let ran = Command::new("sh")
            .args(["-c", &line])
            .current_dir(folder.path())
            .env("PATH", &path)
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&ran.stderr);
        assert!(ran.status.success(), "{page}: {line}\n{said}");
    }
}

#[test]
fn commands_of_the_guide_run() {
    run_all("docs/guide.md");
}

#[test]
fn commands_of_the_front_page_run() {
    run_all("README.md");
}
