//! A profile as a Chrome trace and as an HTML page.

use std::{collections::HashMap, fmt, time::Duration};

use crate::quoted::quoted;

use super::{Record, Report, Share};
use crate::{counts::Counts, traffic::Traffic};

/// The trace event format: one track of complete events for each worker, and counters for what is alive.
pub(super) struct Trace<'a>(pub(super) Option<&'a Record>);

impl fmt::Display for Trace<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("{\"displayTimeUnit\":\"ms\",")?;
        if let Some(record) = self.0 {
            write!(f, "\"otherData\":{},", Facts(&record.report()))?;
        }
        f.write_str("\"traceEvents\":[")?;
        if let Some(record) = self.0 {
            f.write_str(
                "\n{\"name\":\"process_name\",\"ph\":\"M\",\"pid\":1,\"args\":{\"name\":\"run\"}}",
            )?;
            for worker in 0..record.workers {
                write!(
                    f,
                    ",\n{{\"name\":\"thread_name\",\"ph\":\"M\",\"pid\":1,\"tid\":{worker},\"args\":{{\"name\":\"worker {worker}\"}}}}"
                )?;
            }
            for task in &record.tasks {
                write!(
                    f,
                    ",\n{{\"name\":{},\"cat\":{},\"ph\":\"X\",\"pid\":1,\"tid\":{},\"ts\":{},\"dur\":{},\"args\":{{\"key\":{},\"ok\":{},\"bytes\":{},\"read\":{},\"written\":{}{}}}{}}}",
                    Json(&record.graph.label(task.id).to_string()),
                    Json(&record.group(task.id)),
                    task.worker,
                    micros(task.started),
                    micros(task.time()),
                    Json(record.graph.key(task.id).as_str()),
                    task.succeeded,
                    record.graph.info(task.id).bytes.unwrap_or(0),
                    task.traffic.read,
                    task.traffic.written,
                    More(&task.counts),
                    // The viewers' name for red.
                    if task.succeeded {
                        ""
                    } else {
                        ",\"cname\":\"terrible\""
                    },
                )?;
            }
            let mut last = [None; 2];
            for (at, bytes, values) in record.alive() {
                let at = micros(at);
                let amounts = [("bytes", bytes), ("values", values as u64)];
                for ((what, amount), last) in amounts.into_iter().zip(&mut last) {
                    if last.replace(amount) == Some(amount) {
                        continue;
                    }
                    write!(
                        f,
                        ",\n{{\"name\":\"live {what}\",\"ph\":\"C\",\"pid\":1,\"ts\":{at},\"args\":{{\"{what}\":{amount}}}}}"
                    )?;
                }
            }
        }
        f.write_str("\n]}\n")
    }
}

/// One page with its data, style and script in it.
pub(super) struct Page<'a>(pub(super) Option<&'a Record>);

impl fmt::Display for Page<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (before, after) = include_str!("page.html")
            .split_once("/*DATA*/")
            .expect("the page has a place for its data");
        f.write_str(before)?;
        match self.0 {
            None => f.write_str("{\"tasks\":[],\"groups\":[],\"steps\":[],\"counts\":{},\"resident\":0,\"read\":0,\"written\":0,\"alive\":[],\"path\":[],\"workers\":0,\"wall\":0,\"busy\":0,\"critical\":0,\"peak_bytes\":0,\"peak_values\":0}")?,
            Some(record) => data(f, record)?,
        }
        f.write_str(after)
    }
}

fn data(f: &mut fmt::Formatter<'_>, record: &Record) -> fmt::Result {
    let report = record.report();
    let groups = report.groups.iter().enumerate();
    let places: HashMap<&str, usize> = groups
        .map(|(place, share)| (share.name.as_str(), place))
        .collect();
    f.write_str("{\"groups\":[")?;
    separated(f, &report.groups, share)?;
    f.write_str("],\n\"steps\":[")?;
    separated(f, &report.steps, share)?;
    let resident = report.resident_bytes.unwrap_or(0);
    write!(
        f,
        "],\n\"counts\":{{{}}},\"resident\":{resident},",
        Named(&report.counts)
    )?;
    f.write_str("\n\"tasks\":[")?;
    separated(f, &record.tasks, |f, task| {
        let key = record.graph.key(task.id).as_str();
        let group = places[record.group(task.id).as_str()];
        write!(
            f,
            "[{},{},{},{},{group},{}]",
            Json(key),
            task.worker,
            micros(task.started),
            micros(task.finished),
            u8::from(task.succeeded)
        )
    })?;
    f.write_str("],\n\"alive\":[")?;
    separated(f, &record.alive(), |f, (at, bytes, values)| {
        write!(f, "[{},{bytes},{values}]", micros(*at))
    })?;
    f.write_str("],\n\"path\":[")?;
    separated(f, &report.critical_path.0, |f, key| {
        write!(f, "{}", Json(key))
    })?;
    write!(
        f,
        "],\n\"workers\":{},\"wall\":{},\"busy\":{},\"critical\":{},\"peak_bytes\":{},\"peak_values\":{},\"read\":{},\"written\":{}}}",
        report.workers,
        micros(report.wall),
        micros(report.busy),
        micros(report.critical_path.1),
        report.peak_bytes,
        report.peak_values,
        report.traffic.read,
        report.traffic.written
    )
}

/// What some tasks have in common, how many they are, their time, what they made, read and wrote.
fn share(f: &mut fmt::Formatter<'_>, share: &Share) -> fmt::Result {
    let Traffic { read, written } = share.traffic;
    let (name, time) = (Json(&share.name), micros(share.time));
    write!(
        f,
        "[{name},{},{time},{},{read},{written},{{{}}}]",
        share.tasks,
        share.bytes,
        Named(&share.counts)
    )
}

/// A run in numbers, as a JSON object.
struct Facts<'a>(&'a Report);

impl fmt::Display for Facts<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let report = self.0;
        let Traffic { read, written } = report.traffic;
        write!(
            f,
            "{{\"tasks\":{},\"bytes read\":{read},\"bytes written\":{written},\"most bytes alive\":{}",
            report.tasks, report.peak_bytes
        )?;
        if let Some(resident) = report.resident_bytes {
            write!(f, ",\"most bytes in memory\":{resident}")?;
        }
        write!(f, "{}}}", More(&report.counts))
    }
}

/// Counts as members of a JSON object that has others before them.
struct More<'a>(&'a Counts);

impl fmt::Display for More<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut all = self.0.iter();
        all.try_for_each(|(name, amount)| write!(f, ",{}:{amount}", Json(name)))
    }
}

/// Counts as members of a JSON object of their own.
struct Named<'a>(&'a Counts);

impl fmt::Display for Named<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all: Vec<_> = self.0.iter().collect();
        separated(f, &all, |f, (name, amount)| {
            write!(f, "{}:{amount}", Json(name))
        })
    }
}

fn separated<T>(
    f: &mut fmt::Formatter<'_>,
    items: &[T],
    write: impl Fn(&mut fmt::Formatter<'_>, &T) -> fmt::Result,
) -> fmt::Result {
    for (place, item) in items.iter().enumerate() {
        if place > 0 {
            f.write_str(",")?;
        }
        write(f, item)?;
    }
    Ok(())
}

/// Microseconds with three decimals, which JSON and the trace format understand.
fn micros(time: Duration) -> String {
    format!("{:.3}", time.as_nanos() as f64 / 1000.0)
}

/// Text as a JSON string, which may also stand in a script element.
struct Json<'a>(&'a str);

impl fmt::Display for Json<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        quoted(f, self.0, |c| {
            let would_end = c < ' ' || matches!(c, '<' | '\u{2028}' | '\u{2029}');
            would_end.then(|| format!("\\u{:04x}", c as u32))
        })
    }
}
