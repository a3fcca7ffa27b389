use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};

use crate::suite::{FUZZ, SUITE, checks};

/// The version of the report's format.
const FORMAT: u32 = 1;

/// What a run of the suite found of one component. The same component gives the same report on any machine, as far as its own
/// answers are the same there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Report {
    /// The version of this format.
    pub report: u32,
    /// The version of the suite.
    pub suite: u32,
    /// The version of Weir whose host ran it.
    pub weir: String,
    /// The version of the contract.
    pub contract: String,
    /// The component: `sha256:` and 64 hexadecimal digits.
    pub digest: String,
    /// The plugin's id, if its manifest can be read.
    pub id: Option<String>,
    /// Its version, likewise.
    pub version: Option<String>,
    /// What the hostile inputs were made of.
    pub seed: u64,
    /// How many of them each entry point was given.
    pub fuzz: u32,
    /// The settings of the connections that actions were called with.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub settings: Map<String, Value>,
    /// Every check that was run, in the order of the ids.
    pub checks: Vec<Checked>,
}

/// What became of one check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Checked {
    /// Its id.
    pub id: String,
    /// What must hold.
    pub title: String,
    /// Whether it does.
    pub result: Outcome,
    /// What was looked at; why it was skipped; what does not hold, each for itself.
    pub seen: Vec<String>,
}

/// How a check ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// It holds.
    Ok,
    /// It does not.
    Failed,
    /// It does not apply, or could not be tried.
    Skipped,
}

/// Why a report says nothing of a component.
#[derive(Debug, thiserror::Error)]
pub enum InvalidReport {
    /// It cannot be read.
    #[error("this is no report of `weir plugin conform`")]
    Malformed(#[from] serde_json::Error),
    /// It is written in a format of another version.
    #[error("the report is written in format {0} and this Weir reads {FORMAT}; run `weir plugin conform` again")]
    Format(u32),
    /// It is of another suite.
    #[error("the report is of suite {0} and this Weir has {SUITE}; run `weir plugin conform` again")]
    Suite(u32),
    /// It was made with fewer hostile inputs than the suite has.
    #[error("the report is of {0} hostile inputs and {FUZZ} are the least; run `weir plugin conform` again")]
    Fuzz(u32),
    /// It is of another component.
    #[error(
        "the report is of the component {reported} and this one is {actual}; run `weir plugin conform` on this one"
    )]
    Digest {
        /// The digest in the report.
        reported: String,
        /// That of the component.
        actual: String,
    },
    /// It lacks a check, or tells of one twice.
    #[error("the report does not tell of check {0} once; run `weir plugin conform` without `--only`")]
    Incomplete(&'static str),
    /// A check failed.
    #[error("the component does not conform: {0} failed; `weir plugin conform` tells why")]
    Failed(String),
}

impl Report {
    /// A report without checks.
    pub(crate) fn of(component: &[u8], seed: u64, fuzz: u32, settings: &Map<String, Value>) -> Self {
        Self {
            report: FORMAT,
            suite: SUITE,
            weir: env!("CARGO_PKG_VERSION").to_owned(),
            contract: String::new(),
            digest: digest(component),
            id: None,
            version: None,
            seed,
            fuzz,
            settings: settings.clone(),
            checks: Vec::new(),
        }
    }

    /// Whether every check of the suite was run and none failed.
    pub fn is_green(&self) -> bool {
        self.check().is_ok()
    }

    /// The checks that failed.
    pub fn failed(&self) -> impl Iterator<Item = &Checked> {
        self.checks.iter().filter(|checked| checked.result == Outcome::Failed)
    }

    /// The report as it is kept in a file: JSON, the same bytes for the same report.
    pub fn to_json(&self) -> String {
        // Numbers and texts under names that are texts: there is nothing that could fail.
        let mut json = serde_json::to_string_pretty(self).unwrap_or_default();
        json.push('\n');
        json
    }

    /// Reads what [`Report::to_json`] wrote. Whether it is green, and of which component, is not looked at.
    ///
    /// # Errors
    /// It is no report, or of another version.
    pub fn from_json(json: &str) -> Result<Self, InvalidReport> {
        #[derive(Deserialize)]
        struct Head {
            report: u32,
        }
        let head: Head = serde_json::from_str(json)?;
        if head.report != FORMAT {
            return Err(InvalidReport::Format(head.report));
        }
        Ok(serde_json::from_str(json)?)
    }

    /// Proves that the report is green, complete, of this suite, and of this component.
    ///
    /// # Errors
    /// What does not hold.
    pub fn vouch_for(&self, component: &[u8]) -> Result<(), InvalidReport> {
        let actual = digest(component);
        if self.digest != actual {
            return Err(InvalidReport::Digest { reported: self.digest.clone(), actual });
        }
        self.check()
    }

    fn check(&self) -> Result<(), InvalidReport> {
        if self.suite != SUITE {
            return Err(InvalidReport::Suite(self.suite));
        }
        if self.fuzz < FUZZ {
            return Err(InvalidReport::Fuzz(self.fuzz));
        }
        for check in checks() {
            let mut told = self.checks.iter().filter(|checked| checked.id == check.id);
            let (Some(checked), None) = (told.next(), told.next()) else {
                return Err(InvalidReport::Incomplete(check.id));
            };
            if checked.result == Outcome::Failed {
                return Err(InvalidReport::Failed(checked.id.clone()));
            }
        }
        Ok(())
    }
}

/// SHA-256, as `sha256:` and 64 hexadecimal digits.
pub(crate) fn digest(bytes: &[u8]) -> String {
    format!("sha256:{}", hex::encode(Sha256::digest(bytes)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn green(component: &[u8]) -> Report {
        let checked = |check: &crate::Check| Checked {
            id: check.id.to_owned(),
            title: check.title.to_owned(),
            result: Outcome::Ok,
            seen: Vec::new(),
        };
        Report { checks: checks().iter().map(checked).collect(), ..Report::of(component, 1, FUZZ, &Map::new()) }
    }

    #[test]
    fn a_report_vouches_for_its_component_alone_and_as_long_as_it_is_whole_and_green() {
        let report = green(b"component");
        assert_eq!(Report::from_json(&report.to_json()).expect("is read"), report);
        report.vouch_for(b"component").expect("vouches");

        let refused = |report: &Report, component: &[u8]| report.vouch_for(component).expect_err("refuses").to_string();
        assert!(refused(&report, b"another").contains("the report is of the component sha256:"));
        let mut failed = report.clone();
        failed.checks[3].result = Outcome::Failed;
        assert!(refused(&failed, b"component").contains("W004 failed") && !failed.is_green());
        let mut short = report.clone();
        short.checks.remove(3);
        assert!(refused(&short, b"component").contains("check W004"));
        let mut doubled = report.clone();
        doubled.checks.push(report.checks[3].clone());
        assert!(refused(&doubled, b"component").contains("check W004"));
        let shallow = Report { fuzz: FUZZ - 1, ..report.clone() };
        assert!(refused(&shallow, b"component").contains("255 hostile inputs"));
        let other = Report { suite: SUITE + 1, ..report.clone() };
        assert!(refused(&other, b"component").contains("run `weir plugin conform` again"));

        let unread = |json: &str| Report::from_json(json).expect_err("refuses").to_string();
        assert!(unread(&report.to_json().replace("\"report\": 1", "\"report\": 2")).contains("format 2"));
        assert!(unread("[]").contains("no report"));
        assert!(unread(&report.to_json().replace("\"weir\"", "\"wire\"")).contains("no report"));
    }
}
