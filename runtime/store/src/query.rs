//! Lists: what is due, what is held, what there is.

use model::{Execution, ExecutionId, Gate, StateKind, Timestamp};

use crate::core::Core;
use crate::key::{self, Key, Listed, Span};
use crate::{Due, Page, Query, StoreError};

/// Executions that one page looks at, whatever it finds: a filter that hits little must not hold a thread for minutes.
const LOOKED_AT_MAX: usize = 10_000;
/// Index rows that are fetched at a time.
const INDEX_PAGE: usize = 1024;
/// Ids are made some time after the event was received: reading a large body and waiting for its turn take that long at
/// most.
const RECEIPT_TO_ID_MILLIS_MAX: u64 = 600_000;

impl Core {
    pub(crate) fn due(
        &self,
        gate: &Gate,
        until: Timestamp,
        after: Option<&Due>,
        limit: usize,
    ) -> Result<Vec<Due>, StoreError> {
        let mut span = Span::behind(gate);
        span.to = span.to.min(key::due(gate, Timestamp::from_millis(until.as_millis().saturating_add(1)), &[]));
        if let Some(after) = after {
            span.from = [&key::due(gate, after.at, &after.id.to_key())[..], &[0]].concat();
        }
        let rows = self.scan_index(span, false, limit)?;
        let due = |(key, listed): (Key, Listed)| key::parse_due(&key).map(|(at, id)| Due { at, id, flow: listed.flow });
        Ok(rows.into_iter().filter_map(due).collect())
    }

    pub(crate) fn gates(&self) -> Result<Vec<Gate>, StoreError> {
        let mut gates = Vec::new();
        let mut rest = Span::open();
        // From the first row of one gate to the first of the next, so that a full gate costs no more than an empty one.
        while let Some((key, listed)) = self.scan_index(rest.clone(), false, 1)?.pop() {
            gates.extend(listed.gate);
            rest.from = key::gate_span(&key).to;
        }
        Ok(gates)
    }

    pub(crate) fn query(&self, query: &Query) -> Result<Page, StoreError> {
        let is_among =
            |states: &[StateKind]| !query.states.is_empty() && query.states.iter().all(|state| states.contains(state));
        if query.event.is_none() && is_among(&[StateKind::Parked, StateKind::Dead]) {
            return self.page_of(query, self.held(query)?);
        }
        if query.event.is_none() && is_among(&[StateKind::Ready, StateKind::Waiting]) {
            return self.page_of(query, self.open(query)?);
        }
        self.page_of_all(query)
    }

    /// Parked and dead executions behind the query's cursor, the newest first: no more than a page needs.
    fn held(&self, query: &Query) -> Result<Vec<ExecutionId>, StoreError> {
        let mut ids = Vec::new();
        for state in query.states.iter().copied() {
            let mut span = Span::held_in(state);
            if let Some(after) = &query.after {
                span.to = key::held(state, &after.to_key());
            }
            let mut found = 0;
            while found <= query.limit {
                let rows = self.scan_index(span.clone(), true, INDEX_PAGE)?;
                let is_last = rows.len() < INDEX_PAGE;
                for (key, listed) in rows {
                    if let Some(id) = key::parse_held(&key).filter(|_| is_of_flow(query, &listed.flow)) {
                        found += 1;
                        ids.push(id);
                    }
                    span.to = key;
                }
                if is_last {
                    break;
                }
            }
        }
        Ok(newest(ids, query.limit + 1))
    }

    /// Ready and waiting executions behind the query's cursor, the newest first. Their index is ordered by gate, so that
    /// all of it is read; it holds keys only.
    fn open(&self, query: &Query) -> Result<Vec<ExecutionId>, StoreError> {
        let mut ids = Vec::new();
        let mut span = Span::open();
        loop {
            let rows = self.scan_index(span.clone(), false, INDEX_PAGE)?;
            let is_last = rows.len() < INDEX_PAGE;
            for (key, listed) in rows {
                let is_wanted = query.states.contains(&listed.state) && is_of_flow(query, &listed.flow);
                let id = key::parse_due(&key).map(|(_, id)| id).filter(|_| is_wanted);
                ids.extend(id.filter(|id| query.after.as_ref().is_none_or(|after| id < after)));
                span.from = [&key[..], &[0]].concat();
            }
            if ids.len() > 2 * INDEX_PAGE.max(query.limit + 1) || is_last {
                ids = newest(ids, query.limit + 1);
            }
            if is_last {
                return Ok(ids);
            }
        }
    }

    /// The page that begins with the first of `ids`, of which there is one more than a page needs if there is another.
    fn page_of(&self, query: &Query, ids: Vec<ExecutionId>) -> Result<Page, StoreError> {
        let mut page = Page { executions: Vec::new(), next: None };
        let has_more = ids.len() > query.limit;
        for id in ids.into_iter().take(query.limit) {
            if let Some(row) = self.find(&key::execution(&id))? {
                let execution = row.execution(&self.journal)?;
                if is_wanted(query, &execution) {
                    page.executions.push(execution);
                }
            }
            page.next = has_more.then_some(id);
        }
        Ok(page)
    }

    fn page_of_all(&self, query: &Query) -> Result<Page, StoreError> {
        let mut page = Page { executions: Vec::new(), next: None };
        let mut span = match query.event {
            Some(event) => Span::executions_of(event),
            None => Span::executions(),
        };
        narrow(&mut span, query);
        let mut looked_at = 0;
        while looked_at < LOOKED_AT_MAX {
            let rows = self.scan_rows(span.clone(), true, query.limit.clamp(1, INDEX_PAGE))?;
            let Some((last, _)) = rows.last() else { return Ok(page) };
            looked_at += rows.len();
            span.to.clone_from(last);
            for (_, row) in rows {
                let execution = row.execution(&self.journal)?;
                if !is_wanted(query, &execution) {
                    continue;
                }
                if page.executions.len() == query.limit {
                    return Ok(Page { next: page.executions.last().map(|last| last.id.clone()), ..page });
                }
                page.executions.push(execution);
            }
        }
        // Nothing between the last one found and here is wanted, and behind here nobody has looked.
        Ok(Page { next: key::execution_id(&span.to), ..page })
    }
}

fn narrow(span: &mut Span, query: &Query) {
    if let Some(since) = query.since {
        let from = key::first_execution_at(since);
        span.from = span.from.clone().max(from);
    }
    if let Some(until) = query.until {
        let to = Timestamp::from_millis(until.as_millis().saturating_add(RECEIPT_TO_ID_MILLIS_MAX));
        span.to = span.to.clone().min(key::first_execution_at(to));
    }
    if let Some(after) = &query.after {
        let to: Key = key::execution(after);
        span.to = span.to.clone().min(to);
    }
}

fn newest(mut ids: Vec<ExecutionId>, limit: usize) -> Vec<ExecutionId> {
    ids.sort_unstable_by(|a, b| b.cmp(a));
    ids.truncate(limit);
    ids
}

fn is_of_flow(query: &Query, flow: &str) -> bool {
    query.flow.as_ref().is_none_or(|wanted| wanted == flow)
}

fn is_wanted(query: &Query, execution: &Execution) -> bool {
    (query.states.is_empty() || query.states.contains(&execution.state.kind()))
        && is_of_flow(query, &execution.flow.name)
        && query.since.is_none_or(|since| execution.received >= since)
        && query.until.is_none_or(|until| execution.received < until)
}
