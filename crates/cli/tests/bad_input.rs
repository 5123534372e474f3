//! Whatever is wrong, the command says so in one clear line, ends with the right exit code and leaves nothing behind.

mod command;
mod sources;

use std::ffi::OsStr;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use command::{data, regrid};
use netcdf::Options;
use sources::{alone, noise};

/// A folder to work in, with good inputs: `in.nc` (in time), `classic.nc`, and `old.nc`, which is there already.
struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        let folder = Self(tempfile::tempdir().unwrap());
        fs::copy(data("A1B_north_america.nc"), folder.path("in.nc")).unwrap();
        fs::write(folder.path("old.nc"), "precious").unwrap();
        folder
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.0.path().join(name)
    }

    fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(self.0.path()).unwrap();
        let mut names: Vec<String> = entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    /// Runs the command here; its words are separated by blanks.
    fn run(&self, words: &str) -> Output {
        let words = words.split(' ').filter(|word| !word.is_empty());
        regrid()
            .current_dir(self.0.path())
            .args(words)
            .output()
            .unwrap()
    }

    /// Runs the command and checks the exit code, the line that says what is wrong, and that nothing is new here.
    fn refused(&self, words: &str, code: i32, says: &[&str]) {
        let before = self.names();
        let done = self.run(words);
        check(&done, words, code, says);
        assert_eq!(self.names(), before, "`regrid {words}` left something");
        assert_eq!(fs::read(self.path("old.nc")).unwrap(), b"precious");
    }
}

/// One line that begins with `regrid: error: `, at the most one `hint: ` after it, all of `says` in the two.
fn check(done: &Output, words: &str, code: i32, says: &[&str]) {
    let said = String::from_utf8_lossy(&done.stderr);
    let context = format!("`regrid {words}` said\n{said}");
    assert_eq!(done.status.code(), Some(code), "{context}");
    assert!(done.stdout.is_empty(), "{context}");
    let at = said.find("regrid: error: ").expect(&context);
    let lines: Vec<&str> = said[at..].lines().collect();
    match lines.as_slice() {
        [_] => {}
        [_, hint] => assert!(hint.starts_with("hint: "), "{context}"),
        _ => panic!("{context}"),
    }
    for part in says {
        assert!(said[at..].contains(part), "{part:?} is missing: {context}");
    }
    // The plan may stand before it, nothing else.
    let plan = [
        "source", "target", "method", "fields", "read", "write", "work", "note", " ",
    ];
    for line in said[..at].lines() {
        assert!(
            plan.iter().any(|label| line.starts_with(label)),
            "{context}"
        );
    }
}

/// A file of 9 kB is valid whatever lengths it states: nothing needs to be stored.
#[test]
fn more_values_than_can_be_counted_are_left_out() {
    let _alone = alone();
    let folder = Folder::new();
    {
        let mut file = netcdf::append(folder.path("in.nc")).unwrap();
        file.add_dimension("endless", 1 << 61).unwrap();
        for (name, dimensions) in [
            ("coordinate", &["endless"][..]),
            ("field", &["endless", "latitude", "longitude"]),
        ] {
            let mut variable = file.add_variable::<f64>(name, dimensions).unwrap();
            variable.set_chunking(&vec![1; dimensions.len()]).unwrap();
        }
    }
    let done = folder.run("info in.nc");
    assert!(done.status.success());
    let said = String::from_utf8_lossy(&done.stdout);
    for name in ["coordinate", "field"] {
        let note = format!("variable {name} in in.nc is of a kind or size that is not read");
        assert!(said.contains(&note), "{said}");
    }
    let done = folder.run("in.nc -o out.nc --grid 5");
    assert!(done.status.success(), "{done:?}");
    folder.refused("in.nc -o no.nc --grid 5 -v field", 1, &["field"]);
}

#[test]
fn files_that_are_no_good() {
    let _alone = alone();
    let folder = Folder::new();
    fs::create_dir(folder.path("empty")).unwrap();
    fs::write(folder.path("text.nc"), "not a netCDF file").unwrap();
    fs::write(folder.path("zero.nc"), "").unwrap();
    noise(&folder.path("classic.nc"), Options::default(), 2, 18, 36);
    for (whole, cut) in [("in.nc", "cut.nc"), ("classic.nc", "cut-classic.nc")] {
        let bytes = fs::read(folder.path(whole)).unwrap();
        fs::write(folder.path(cut), &bytes[..bytes.len() - 1000]).unwrap();
    }
    // Nobody writes into it: it is not to be waited for.
    #[cfg(unix)]
    {
        let made = Command::new("mkfifo").arg(folder.path("pipe.nc")).status();
        assert!(made.unwrap().success());
        for words in ["info pipe.nc", "pipe.nc -o out.nc --grid 5"] {
            folder.refused(words, 1, &["pipe.nc is not a netCDF file"]);
        }
    }
    netcdf::create(folder.path("bare.nc"))
        .unwrap()
        .add_dimension("x", 3)
        .unwrap();
    for (file, says) in [
        ("nowhere.nc", "cannot open nowhere.nc: No such file"),
        ("empty", "no netCDF files in empty"),
        ("text.nc", "text.nc is not a netCDF file"),
        ("zero.nc", "zero.nc is not a netCDF file"),
        ("cut.nc", "cut.nc is cut short"),
        ("cut-classic.nc", "cut-classic.nc is cut short"),
        ("bare.nc", "nothing in bare.nc lies on a grid"),
    ] {
        folder.refused(&format!("{file} -o out.nc --grid 5"), 1, &[says]);
        folder.refused(&format!("in.nc {file} -o out.nc --grid 5 -v foo"), 1, &[]);
        folder.refused(&format!("in.nc -o out.nc --like {file}"), 1, &[file]);
        if file != "bare.nc" {
            folder.refused(&format!("info {file}"), 1, &[says]);
        }
    }
}

#[test]
fn values_that_cannot_be_read() {
    let _alone = alone();
    let folder = Folder::new();
    // Compressed, so that zeros cannot be taken for values.
    let mut bytes = fs::read(data("g1.nc")).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle..middle + 20_000].fill(0);
    fs::write(folder.path("damaged.nc"), bytes).unwrap();
    for threads in ["1", "3"] {
        folder.refused(
            &format!("damaged.nc -o out.nc --grid 5 -j {threads}"),
            1,
            &["air_temperature in damaged.nc"],
        );
    }
}

#[test]
fn requests_that_the_files_cannot_meet() {
    let _alone = alone();
    let folder = Folder::new();
    for (options, says) in [
        ("--grid 5 -v foo", &["\"foo\"", "air_temperature"][..]),
        (
            "--grid 5 -t 1850-01-01",
            &["air_temperature", "1850-01-01", "1860-06-01"],
        ),
        (
            "--grid 5 -t 1861-06-01T01:00",
            &["1861-06-01T01:00", "--time-method nearest"],
        ),
        (
            "--grid 5 --outside error",
            &["latitude", "--outside missing"],
        ),
        ("--lat 20 --lon 10 --outside error", &["longitude 10"]),
    ] {
        folder.refused(&format!("in.nc -o out.nc {options}"), 1, says);
    }
}

#[test]
fn outputs_that_are_in_the_way() {
    let _alone = alone();
    let folder = Folder::new();
    let input = fs::read(folder.path("in.nc")).unwrap();
    fs::create_dir(folder.path("folder")).unwrap();
    fs::copy(folder.path("in.nc"), folder.path("like.nc")).unwrap();
    for (words, says) in [
        (
            "in.nc -o old.nc --grid 5",
            &["old.nc exists", "--force"][..],
        ),
        ("in.nc -o in.nc --grid 5", &["in.nc is one of the inputs"]),
        (
            "in.nc -o ./in.nc --grid 5 --force",
            &["in.nc is one of the inputs"],
        ),
        (
            "in.nc -o nowhere/out.nc --grid 5",
            &["nowhere/out.nc", "No such file or directory"],
        ),
        ("in.nc -o old.nc/out.nc --grid 5", &["old.nc/out.nc"]),
        ("in.nc -o folder --grid 5 --force", &["folder"]),
        ("in.nc -o new/ --grid 5", &["new/", "it is not a file"]),
        (
            "in.nc -o new.nc/. --grid 5",
            &["new.nc/.", "it is not a file"],
        ),
        (
            "in.nc -o out.nc --grid 5 --profile nowhere/p.html",
            &["--profile", "no folder nowhere"],
        ),
        (
            "in.nc -o like.nc --like like.nc --force",
            &["like.nc", "--like"],
        ),
        (
            "in.nc -o out.nc --grid 5 --graph in.dot --graph-x",
            &["--graph-x"],
        ),
        (
            "in.nc -o out.nc --grid 5 --graph nowhere/g.dot",
            &["--graph", "no folder nowhere"],
        ),
        ("in.nc -o g.dot --grid 5 --graph g.dot", &["--graph and -o"]),
    ] {
        let code = if words.contains("--graph-x") { 2 } else { 1 };
        folder.refused(words, code, says);
    }
    assert!(input == fs::read(folder.path("in.nc")).unwrap());
    assert!(input == fs::read(folder.path("like.nc")).unwrap());
}

#[cfg(unix)]
#[test]
fn outputs_that_are_in_the_way_by_another_name() {
    use std::os::unix::fs::symlink;
    let _alone = alone();
    let folder = Folder::new();
    let input = fs::read(folder.path("in.nc")).unwrap();
    symlink("in.nc", folder.path("link.nc")).unwrap();
    fs::hard_link(folder.path("in.nc"), folder.path("same.nc")).unwrap();
    symlink("in.nc", folder.path("link.dot")).unwrap();
    for words in [
        "in.nc -o link.nc --grid 5 --force",
        "link.nc -o in.nc --grid 5 --force",
        "in.nc -o same.nc --grid 5 --force",
        "in.nc -o out.nc --grid 5 --force --graph link.dot",
    ] {
        folder.refused(words, 1, &["input"]);
    }
    assert!(input == fs::read(folder.path("in.nc")).unwrap());
    for special in ["/dev/null", "/dev/full"] {
        folder.refused(
            &format!("in.nc -o {special} --grid 5 --force"),
            1,
            &[special, "not a file"],
        );
    }
}

#[cfg(unix)]
#[test]
fn a_folder_that_must_not_be_written_to() {
    use std::os::unix::fs::PermissionsExt;
    let _alone = alone();
    let folder = Folder::new();
    let closed = folder.path("closed");
    fs::create_dir(&closed).unwrap();
    fs::set_permissions(&closed, fs::Permissions::from_mode(0o555)).unwrap();
    // Root may write everywhere.
    if fs::write(closed.join("try"), "").is_err() {
        folder.refused(
            "in.nc -o closed/out.nc --grid 5",
            1,
            &["closed/out.nc", "Permission denied"],
        );
    }
}

/// A limit on the size of files stands for a disk that is full: in both cases a write fails half-way.
#[cfg(unix)]
#[test]
fn a_disk_that_is_full() {
    let _alone = alone();
    let folder = Folder::new();
    for threads in ["1", "4"] {
        // In blocks of 512 bytes; without the trap the signal would end the process.
        let script = "ulimit -f 1000; trap '' XFSZ; exec \"$@\"";
        let words = format!("in.nc -o out.nc --grid 1 --deflate 0 -j {threads}");
        let before = folder.names();
        let done = Command::new("sh")
            .current_dir(folder.0.path())
            .args(["-c", script, "sh", env!("CARGO_BIN_EXE_regrid")])
            .args(words.split(' '))
            .output()
            .unwrap();
        check(&done, &words, 1, &["out.nc", "disk"]);
        assert_eq!(folder.names(), before);
    }
}

#[test]
fn wrong_usage() {
    let _alone = alone();
    let folder = Folder::new();
    folder.refused("", 2, &[]);
    for (words, says) in [
        ("in.nc --grid 5", "-o"),
        ("-o out.nc --grid 5", "INPUT"),
        (
            "in.nc -o out.nc",
            "--like FILE, --grid NAME, --points FILE, or --lat with --lon",
        ),
        ("in.nc -o out.nc --grid 5 --like in.nc", "--like, --grid"),
        ("in.nc -o out.nc --grid 5 --lat 1 --lon 1", "--like, --grid"),
        ("in.nc -o out.nc --lat 1", "--lon"),
        ("in.nc -o out.nc --lon 1", "--lat"),
        ("in.nc -o out.nc --lat x --lon 1", "--lat"),
        ("in.nc -o out.nc --lat 1:2 --lon 1", "START:STOP:STEP"),
        ("in.nc -o out.nc --lat 1:2:0 --lon 1", "--lat"),
        ("in.nc -o out.nc --lat 1:2:1e-9 --lon 1", "--lat"),
        ("in.nc -o out.nc --lat 89:91:1 --lon 1", "latitude 91"),
        ("in.nc -o out.nc --lat 1,1 --lon 1", "latitude"),
        ("in.nc -o out.nc --lat 1 --lon nan", "--lon"),
        ("in.nc -o out.nc --grid foo", "\"foo\""),
        ("in.nc -o out.nc --grid 0.7", "--grid"),
        ("in.nc -o out.nc --grid -1", "--grid"),
        ("in.nc -o out.nc --grid r0x5", "--grid"),
        ("in.nc -o out.nc --grid", "--grid"),
        ("in.nc -o out.nc --grid 5 -m cubist", "linear, nearest"),
        ("in.nc -o out.nc --grid 5 --outside inside", "'--outside"),
        ("in.nc -o out.nc --grid 5 --pole south", "'--pole"),
        (
            "in.nc -o out.nc --grid 5 --time-method often",
            "'--time-method",
        ),
        ("in.nc -o out.nc --grid 5 -t yesterday", "yesterday"),
        ("in.nc -o out.nc --grid 5 -t 1861-02-31", "1861-02-31"),
        ("in.nc -o out.nc --grid 5 -t 1863/1861", "backwards"),
        ("in.nc -o out.nc --grid 5 -t 1861/1863/0d", "zero"),
        ("in.nc -o out.nc --grid 5 -j 0", "'--threads"),
        ("in.nc -o out.nc --grid 5 -j -2", "-2"),
        ("in.nc -o out.nc --grid 5 -j many", "'--threads"),
        ("in.nc -o out.nc --grid 5 --chunk 5", "ROWSxCOLUMNS"),
        ("in.nc -o out.nc --grid 5 --chunk 0x5", "'--chunk"),
        ("in.nc -o out.nc --grid 5 --deflate 10", "0..=9"),
        ("in.nc -o out.nc --grid 5 --graph g.png", ".dot"),
        ("in.nc -o out.nc --grid 5 -v a,,b", "--var"),
        ("in.nc -o out.nc --gird 5", "--grid"),
        ("in.nc -o out.nc -o out2.nc --grid 5", "--output"),
        ("info", "FILE"),
        ("info --grid 5", "--grid"),
    ] {
        folder.refused(words, 2, &[says]);
    }
}

#[cfg(unix)]
#[test]
fn names_that_are_no_text_are_names() {
    use std::os::unix::ffi::OsStrExt;
    let _alone = alone();
    let folder = tempfile::tempdir().unwrap();
    let (input, output) = (
        OsStr::from_bytes(b"in\xff.nc"),
        OsStr::from_bytes(b"out\xfe.nc"),
    );
    fs::copy(data("A1B_north_america.nc"), folder.path().join(input)).unwrap();
    let done = regrid()
        .current_dir(folder.path())
        .args([input, OsStr::new("-o"), output])
        .args(["--lat=20:50:10", "--lon=240:300:10"])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "{said}");
    assert!(folder.path().join(output).exists());
}

/// Standard error, or standard output, whose reader has gone.
#[cfg(unix)]
#[test]
fn nobody_needs_to_listen() {
    let _alone = alone();
    let folder = Folder::new();
    let command = env!("CARGO_BIN_EXE_regrid");
    for (script, code) in [
        ("\"$0\" in.nc -o out.nc --grid 5 2>&-", 0),
        ("\"$0\" in.nc -o out.nc --grid 5 --force >&- 2>&- <&-", 0),
        ("\"$0\" nowhere.nc -o out2.nc --grid 5 2>&-", 1),
        ("set -o pipefail; \"$0\" info in.nc | :", 0),
        ("\"$0\" info in.nc >/dev/full", 1),
        (
            "set -o pipefail; \"$0\" in.nc -o out.nc --grid 5 --force 2>&1 | :",
            0,
        ),
    ] {
        let done = Command::new("bash")
            .current_dir(folder.0.path())
            .args(["-c", script, command])
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&done.stderr);
        assert_eq!(done.status.code(), Some(code), "{script}: {said}");
        assert!(!said.contains("panicked"), "{script}: {said}");
    }
    assert!(is_netcdf(&folder.path("out.nc")));
}

#[cfg(unix)]
fn is_netcdf(path: &Path) -> bool {
    netcdf::open(path).is_ok()
}
