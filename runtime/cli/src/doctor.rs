//! `weir doctor`.

use std::path::Path;

use indicatif::{ProgressBar, ProgressStyle};
use server::{Diagnosis, DoctorError, Project};

use crate::screen::{Screen, Tone, clean, plain};
use crate::stop::{Exit, Stop};

/// Examines the data folder of a project and prints what is found.
pub(crate) fn run(dir: &Path, screen: &Screen) -> anyhow::Result<Exit> {
    let settings = Project::read_settings(dir).map_err(|problems| Stop {
        exit: Exit::Faults,
        title: "weir.toml has faults, so it cannot be known where the data are".to_owned(),
        faults: problems.iter().map(ToString::to_string).collect(),
    })?;
    let bar = ProgressBar::new(0);
    bar.set_style(ProgressStyle::with_template("{bar:40} {bytes} of {total_bytes} read, {eta} left")?);
    let examined = server::examine(&settings.data, &mut |done, all| {
        bar.set_length(all);
        bar.set_position(done);
    });
    bar.finish_and_clear();
    let diagnosis = examined.map_err(|error| match error {
        DoctorError::NoData(_) | DoctorError::NotWeir(_) => Stop::new(Exit::NotFound, error.to_string()).into(),
        DoctorError::InUse { .. } => Stop::new(Exit::Refused, error.to_string()).into(),
        DoctorError::Disk { .. } => anyhow::Error::from(error),
    })?;
    let text =
        if screen.json { format!("{}\n", serde_json::to_string(&diagnosis)?) } else { in_words(&diagnosis, screen) };
    screen.print(&text)?;
    Ok(if diagnosis.healthy { Exit::Done } else { Exit::Failed })
}

fn in_words(diagnosis: &Diagnosis, screen: &Screen) -> String {
    let Diagnosis { data, version, journal_format, segments, state, free_bytes, findings, .. } = diagnosis;
    let mut text =
        format!("{}, as Weir {version} reads it (format {journal_format} of the journal)\n\n", data.display());
    let verdict = match (diagnosis.healthy, diagnosis.starts) {
        (true, _) => ("every record can be read", Tone::Good),
        (false, true) => ("some records cannot be read; Weir starts nevertheless", Tone::Bad),
        (false, false) => ("some records cannot be read, and Weir does not start on it", Tone::Bad),
    };
    text.push_str(&format!("{}\n", screen.paint(verdict.0, verdict.1)));
    for finding in findings {
        let mark = if finding.bad { screen.paint("!", Tone::Bad) } else { screen.paint("-", Tone::Waiting) };
        text.push_str(&format!("{mark} {}: {}\n", clean(&finding.what), clean(&finding.cure)));
    }
    let rows: Vec<_> = segments
        .iter()
        .map(|segment| {
            let used = format!("{} of {} KiB", segment.used_bytes.div_ceil(1024), segment.bytes / 1024);
            let begun = screen.time(&segment.begun);
            vec![plain(&segment.file), plain(segment.records), plain(segment.batches), plain(used), plain(begun)]
        })
        .collect();
    text.push('\n');
    text.push_str(&screen.table(&["SEGMENT", "RECORDS", "BATCHES", "USED", "BEGUN"], &rows));
    let state = match *state {
        "trusted" => "is there and can be used",
        "untrusted" => "will be made anew from the journal",
        _ => "is not there and will be made from the journal",
    };
    let free = free_bytes / (1 << 20);
    text.push_str(&format!(
        "\nthe state database {state}; {free} MiB are free on the disk; no Weir is running on it\n"
    ));
    text
}
