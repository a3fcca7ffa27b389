//! `weir doctor`: looks at the data folder of a Weir that does not run, and changes nothing.

use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};

use journal::{Damage, DamageKind, Disk, LockError, RealDisk, Survey};
use serde::Serialize;
use store_sled::Left;

/// What was found in a data folder.
#[derive(Clone, Debug, Serialize)]
pub struct Diagnosis {
    /// The folder.
    pub data: PathBuf,
    /// The version of this program.
    pub version: String,
    /// The journal's format that this program reads and writes.
    pub journal_format: u8,
    /// Whether everything that was acknowledged can be read.
    pub healthy: bool,
    /// Whether `weir up` would start on it.
    pub starts: bool,
    /// The journal's segments.
    pub segments: Vec<SegmentState>,
    /// Records that can be read.
    pub records: u64,
    /// Records that should be there and are not.
    pub records_lost: u64,
    /// How the state database was left: `nothing`, `trusted` or `untrusted`. The last one is made anew from the journal.
    pub state: &'static str,
    /// Bytes that are free on the disk.
    pub free_bytes: u64,
    /// With less free space, events are refused.
    pub free_bytes_min: u64,
    /// What is wrong or will be done at the next start, the worst first.
    pub findings: Vec<Finding>,
}

/// A segment of the journal.
#[derive(Clone, Debug, Serialize)]
pub struct SegmentState {
    /// Its file.
    pub file: String,
    /// The length of the file.
    pub bytes: u64,
    /// How much of it is used.
    pub used_bytes: u64,
    /// Intact batches.
    pub batches: u64,
    /// The records in them.
    pub records: u64,
    /// When it was begun: RFC 3339.
    pub begun: String,
}

/// Something to know.
#[derive(Clone, Debug, Serialize)]
pub struct Finding {
    /// Whether something was lost or must be done.
    pub bad: bool,
    /// What, in a sentence.
    pub what: String,
    /// What to do, or what will be done.
    pub cure: String,
}

/// Why nothing can be said.
#[derive(Debug, thiserror::Error)]
pub enum DoctorError {
    /// There is no data folder.
    #[error("there is no data folder `{}`: no Weir has run here yet; `--dir` names another project", .0.display())]
    NoData(PathBuf),
    /// It is something else.
    #[error(
        "`{}` is not the data folder of a Weir: it holds no journal; `weir.toml` says where the data are, and `--dir` names \
         another project",
        .0.display()
    )]
    NotWeir(PathBuf),
    /// A Weir runs on it.
    #[error("{cause}; while it runs, `weir status` says how it is")]
    InUse {
        /// Who has it.
        cause: LockError,
    },
    /// The disk failed.
    #[error("cannot read the data folder `{}`", folder.display())]
    Disk {
        /// The folder.
        folder: PathBuf,
        /// Why.
        #[source]
        cause: Box<dyn std::error::Error + Send + Sync>,
    },
}

/// Examines a data folder. `progress` is told how many bytes of the journal of how many have been read.
///
/// # Errors
/// If there is none, or a Weir runs on it, or it cannot be read.
pub fn examine(data: &Path, progress: &mut dyn FnMut(u64, u64)) -> Result<Diagnosis, DoctorError> {
    if !data.is_dir() {
        return Err(DoctorError::NoData(data.to_owned()));
    }
    let failed = |cause: Box<dyn std::error::Error + Send + Sync>| DoctorError::Disk { folder: data.to_owned(), cause };
    // Held to the end, so that no Weir starts meanwhile and is taken for a damaged one.
    let disk = match RealDisk::read_only(data.join("journal")) {
        Ok(disk) => disk,
        Err(cause @ LockError::InUse { .. }) => return Err(DoctorError::InUse { cause }),
        Err(LockError::Io { cause, .. }) if cause.kind() == io::ErrorKind::NotFound => {
            return Err(DoctorError::NotWeir(data.to_owned()));
        }
        Err(cause) => return Err(failed(cause.into())),
    };
    let survey = journal::survey(&disk, progress).map_err(|cause| failed(cause.into()))?;
    let left = store_sled::look(&data.join("state")).map_err(|cause| failed(cause.into()))?;
    let free_bytes = disk.free_bytes().map_err(|cause| failed(cause.into()))?;
    Ok(diagnose(data, &survey, left, free_bytes))
}

fn diagnose(data: &Path, survey: &Survey, left: Left, free_bytes: u64) -> Diagnosis {
    let free_bytes_min = store::Config::new(journal::Config::new(Default::default)).free_bytes_min;
    let mut findings = Vec::new();
    findings.extend(survey.damage.iter().map(damage));
    if !survey.damage.is_empty() || !survey.lost.is_empty() {
        findings.push(what_is_saved(survey, left));
    }
    if free_bytes < free_bytes_min {
        findings.push(Finding {
            bad: true,
            what: format!(
                "{} are free on the disk, and with less than {} events are refused",
                size(free_bytes),
                size(free_bytes_min)
            ),
            cure: "free some; nothing that was accepted is lost meanwhile".to_owned(),
        });
    }
    findings.extend(survey.cuts.iter().map(|cut| Finding {
        bad: false,
        what: format!("`{}` ends with {} that were not finished when Weir stopped", cut.file, size(cut.bytes)),
        cure: "the next start cuts them off; nobody was told that what they hold is durable".to_owned(),
    }));
    if left == Left::Untrusted {
        findings.push(Finding {
            bad: false,
            what: "the state database was not closed before the machine went down".to_owned(),
            cure: "the next start makes it anew from the journal, which takes a while".to_owned(),
        });
    }
    let segment = |segment: &journal::Surveyed| SegmentState {
        file: segment.file.clone(),
        bytes: segment.bytes,
        used_bytes: segment.used_bytes,
        batches: segment.batches,
        records: segment.records,
        begun: segment.begun.to_string(),
    };
    Diagnosis {
        data: data.to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        journal_format: survey.format,
        healthy: survey.damage.is_empty() && survey.lost.is_empty(),
        starts: !survey.damage.iter().any(|damage| damage.refuses_start),
        segments: survey.segments.iter().map(segment).collect(),
        records: survey.segments.iter().map(|segment| segment.records).sum(),
        records_lost: records_lost(survey),
        state: match left {
            Left::Nothing => "nothing",
            Left::Trusted => "trusted",
            Left::Untrusted => "untrusted",
        },
        free_bytes,
        free_bytes_min,
        findings,
    }
}

fn records_lost(survey: &Survey) -> u64 {
    survey.lost.iter().map(|range| range.end - range.start).sum()
}

fn damage(damage: &Damage) -> Finding {
    let Damage { file, kind, refuses_start } = damage;
    let what = match kind {
        DamageKind::Missing => format!("`{file}` is missing"),
        DamageKind::Head => format!("the head of `{file}` is damaged, so that nothing in it can be read"),
        DamageKind::Length => format!("`{file}` was cut short or made longer, so that nothing in it can be trusted"),
        DamageKind::Format(found) => {
            format!("`{file}` has format {found} of the journal, which this Weir does not read")
        }
        DamageKind::Part { offset, bytes } => {
            format!("`{file}` is damaged: {} from byte {offset} on cannot be read", size(*bytes))
        }
    };
    let cure = match (kind, refuses_start) {
        (DamageKind::Format(_), _) => "start the version of Weir that wrote it",
        (_, true) => "`weir up` refuses to start on it; put the file back from a copy of the data folder",
        (_, false) => "`weir up` starts, and says so where something in it is read; put the file back from a copy",
    };
    Finding { bad: true, what, cure: cure.to_owned() }
}

/// What is left, and how to go on without the rest.
fn what_is_saved(survey: &Survey, left: Left) -> Finding {
    let records: u64 = survey.segments.iter().map(|segment| segment.records).sum();
    let lost: Vec<_> = survey.lost.iter().map(words).collect();
    let lost = match lost.as_slice() {
        [] => "no record is known to be lost".to_owned(),
        lost => format!("{} cannot be read (number {})", records_lost(survey), lost.join(", ")),
    };
    let refused = survey.damage.iter().any(|damage| damage.refuses_start);
    let cure = match (refused, left) {
        (true, _) => {
            "without a copy, move the data folder away, keep it, and let `weir up` begin a new one; events that were not \
             delivered must then be sent again by their senders"
        }
        (false, Left::Untrusted) => {
            "keep a copy of the data folder before the next start: it has to read the whole journal"
        }
        (false, _) => "executions that do not need what is lost go on",
    };
    Finding { bad: true, what: format!("{records} records can be read; {lost}"), cure: cure.to_owned() }
}

fn words(range: &Range<u64>) -> String {
    match range.end - range.start {
        1 => range.start.to_string(),
        _ => format!("{} to {}", range.start, range.end - 1),
    }
}

/// Bytes as people say them.
fn size(bytes: u64) -> String {
    match bytes {
        0..1024 => format!("{bytes} bytes"),
        1024..1_048_576 => format!("{:.1} KiB", bytes as f64 / 1024.0),
        1_048_576..1_073_741_824 => format!("{:.1} MiB", bytes as f64 / 1_048_576.0),
        _ => format!("{:.1} GiB", bytes as f64 / 1_073_741_824.0),
    }
}
