//! From what the journal and the projection hold to a store that works.

use std::sync::{Arc, Mutex};

use journal::{Cut, Disk, Family, Journal, Mark, ReplayError};

use crate::core::Core;
use crate::filter::Filter;
use crate::key::{self, Key, Span};
use crate::maintenance::Worker;
use crate::overlay::{Change, Generation};
use crate::record::{self, After, Beside};
use crate::row::StoredRow;
use crate::sequencer::{Counts, Sequencer, State};
use crate::{Config, Projection, ProjectionError, StoreError};

/// Index rows that are fetched at a time.
const PAGE: usize = 4096;
/// Records between two words about the progress.
const PROGRESS_RECORDS: u64 = 10_000;

/// Why the store could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The journal cannot be used as it is.
    #[error(transparent)]
    Journal(#[from] journal::OpenError),
    /// Its records cannot be read.
    #[error("cannot read the journal")]
    Replay(#[from] ReplayError),
    /// The projection cannot be used.
    #[error("cannot use the state database")]
    Projection(#[from] ProjectionError),
    /// A record or a row makes no sense.
    #[error("cannot use what the journal holds")]
    Content(#[from] StoreError),
}

/// What was found at the start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opened {
    /// Unfinished writes that were cut off the journal's end; nobody had been told that they were durable.
    pub cuts: Vec<Cut>,
    /// Records read again.
    pub replayed: u64,
    /// Whether the projection was made anew from the whole journal.
    pub rebuilt: bool,
}

/// How far the reading of the journal has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Records read.
    pub records: u64,
    /// Records that there are to be read; those that have been retired are among them.
    pub of: u64,
}

pub(crate) fn open(
    disk: Arc<dyn Disk>,
    projection: Box<dyn Projection>,
    config: Config,
    progress: &mut dyn FnMut(Progress),
) -> Result<(Core, Opened), OpenError> {
    let (journal, recovered) = Journal::open(disk, config.journal.clone())?;
    let mark = usable_mark(&journal, &*projection)?;
    if mark.is_none() {
        projection.clear()?;
    }
    let mark_or_start = mark.unwrap_or(Mark::START);
    let mut state = State::new(recovered.next_sequence, Filter::new(config.dedupe_filter_bytes));
    for family in Family::ALL {
        let oldest = journal.segments(family).first().map_or(1, |oldest| oldest.number);
        state.floor[family as usize] = oldest.saturating_sub(1);
    }
    let sequencer = Arc::new(Sequencer::new(state));
    let worker = Mutex::new(Worker::new(mark_or_start.sequence() - 1));
    let core = Core { journal, projection, sequencer, config, worker };
    let replayed = core.replay(mark_or_start, mark.is_none(), recovered.next_sequence, progress)?;
    core.count()?;
    core.sequencer.lock().refusing = core.want_of_space();
    Ok((core, Opened { cuts: recovered.cuts, replayed, rebuilt: mark.is_none() }))
}

/// The mark from which the journal brings the projection up to date. None: it has none that fits this journal.
fn usable_mark(journal: &Journal, projection: &dyn Projection) -> Result<Option<Mark>, OpenError> {
    let mark = projection.mark()?.and_then(|bytes| Mark::from_bytes(&bytes).ok());
    Ok(mark.filter(|mark| mark.sequence() <= journal.next_sequence()))
}

impl Core {
    /// Puts the records from `mark` on into the overlay, and what is too much for it into the projection.
    fn replay(
        &self,
        mark: Mark,
        is_empty_below: bool,
        end: u64,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<u64, OpenError> {
        let of = end - mark.sequence();
        let mut records = 0;
        let mut state = self.sequencer.lock();
        state.active = Generation::after(mark.sequence() - 1);
        for replayed in self.journal.replay(mark)? {
            let replayed = replayed?;
            let beside = Beside::new(&replayed.blobs);
            for image in record::decode(&replayed.body)? {
                let change = self.replayed(&state, image, &beside, is_empty_below)?;
                if key::is_dedupe(&change.key) {
                    // It goes into the projection later, perhaps behind where the filter has been filled by then.
                    state.filter.insert(&change.key);
                }
                state.active.put(change, replayed.sequence);
            }
            state.active.last_sequence = replayed.sequence;
            records += 1;
            if records % PROGRESS_RECORDS == 0 {
                progress(Progress { records, of });
            }
            if state.active.bytes() > self.config.generation_bytes {
                drop(state);
                self.flush()?;
                state = self.sequencer.lock();
            }
        }
        progress(Progress { records: of, of });
        Ok(records)
    }

    fn replayed(
        &self,
        state: &State,
        image: record::Image,
        beside: &Beside,
        is_empty_below: bool,
    ) -> Result<Change, OpenError> {
        let key: Key = image.key.to_vec();
        let before = match state.newest(&key) {
            Some((row, _)) => row.cloned(),
            // Only an execution's index row has to be known, and below an empty projection there is nothing.
            None if is_empty_below && state.epoch == 0 || !key::is_execution(&key) => None,
            None => self.below(&key)?.map(Arc::new),
        };
        let after = match image.after {
            After::Delete => None,
            After::Put(written) => Some(Arc::new(StoredRow::restore(&key, beside.find(written)?, &self.journal)?)),
        };
        Ok(Change { key, before, after })
    }

    /// Counts what is open and held. What has ended is not in the index, so that this does not grow with history.
    fn count(&self) -> Result<(), OpenError> {
        let mut counts = Counts::default();
        for mut span in [Span::open(), Span::held()] {
            loop {
                let rows = self.scan_index(span.clone(), false, PAGE)?;
                rows.iter().for_each(|(_, listed)| counts.add(&listed.flow, listed.state));
                match rows.last() {
                    Some((last, _)) if rows.len() == PAGE => span.from = [&last[..], &[0]].concat(),
                    _ => break,
                }
            }
        }
        self.sequencer.lock().counts = counts;
        Ok(())
    }
}
