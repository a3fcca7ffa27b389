use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use model::{LogLevel, LogLine, Pairs, RequestRecord};

use crate::limits::{Exceeded, Limits};

/// Longest partial line of standard output that is kept until its end arrives.
const LINE_BYTES_MAX: usize = 8 * 1024;

/// What a call leaves behind: log lines, requests, what it used. Shared with the tasks that the call
/// starts, and outlives its sandbox.
#[derive(Debug)]
pub(crate) struct Ledger {
    entries: Mutex<Entries>,
    host_calls: AtomicU32,
}

#[derive(Debug)]
struct Entries {
    logs: Vec<LogLine>,
    log_lines_left: u32,
    log_bytes_left: u32,
    logs_dropped: u32,
    /// Unfinished lines of standard output and standard error.
    partial: [Vec<u8>; 2],
    requests: Vec<RequestRecord>,
    http_requests: u32,
    http_requests_max: u32,
    /// Requests that can have an effect and are under way.
    unsettled: u32,
    /// Whether such a request was sent and its answer lost.
    lost: bool,
    memory_bytes_peak: u64,
    refused: Option<Exceeded>,
}

/// The guest's standard streams that are captured.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Stdio {
    Output,
    Error,
}

/// What is left of a call when it has ended.
#[derive(Debug)]
pub(crate) struct Left {
    pub(crate) logs: Vec<LogLine>,
    pub(crate) logs_dropped: u32,
    pub(crate) requests: Vec<RequestRecord>,
    /// A request that can have had an effect was sent, and its answer is not known.
    pub(crate) lost_request: bool,
    /// The most linear memory, in bytes.
    pub(crate) memory_bytes_peak: u64,
    /// Calls of the host, WASI included.
    pub(crate) host_calls: u32,
    /// The first limit at which something was refused to the guest, which it may have survived.
    pub(crate) refused: Option<Exceeded>,
}

impl Ledger {
    pub(crate) fn new(limits: &Limits) -> Arc<Self> {
        let entries = Mutex::new(Entries {
            logs: Vec::new(),
            log_lines_left: limits.log_lines,
            log_bytes_left: limits.log_bytes,
            logs_dropped: 0,
            partial: [Vec::new(), Vec::new()],
            requests: Vec::new(),
            http_requests: 0,
            http_requests_max: limits.http_requests,
            unsettled: 0,
            lost: false,
            memory_bytes_peak: 0,
            refused: None,
        });
        Arc::new(Self { entries, host_calls: AtomicU32::new(0) })
    }

    /// Adds a line, cleaned, as far as the limit allows.
    pub(crate) fn log(&self, level: LogLevel, message: &str, fields: Pairs) {
        self.entries().log(level, message, fields);
    }

    /// Takes what the guest wrote to a standard stream; complete lines become log lines.
    pub(crate) fn write(&self, stream: Stdio, bytes: &[u8]) {
        let mut entries = self.entries();
        for chunk in bytes.split_inclusive(|&byte| byte == b'\n') {
            let partial = &mut entries.partial[stream as usize];
            let room = LINE_BYTES_MAX.saturating_sub(partial.len());
            partial.extend_from_slice(&chunk[..chunk.len().min(room)]);
            if chunk.ends_with(b"\n") {
                entries.end_line(stream);
            }
        }
    }

    /// Counts a request before it is sent. `can_have_effect`: its method is not a safe one (RFC 9110, section 9.2.1).
    pub(crate) fn begin_request(self: &Arc<Self>, can_have_effect: bool) -> Result<Flight, Exceeded> {
        let mut entries = self.entries();
        if entries.http_requests >= entries.http_requests_max {
            return Err(Exceeded::HttpRequests(entries.http_requests_max));
        }
        entries.http_requests += 1;
        entries.unsettled += u32::from(can_have_effect);
        Ok(Flight { ledger: Arc::clone(self), can_have_effect, landed: false })
    }

    /// Notes how much linear memory the guest has.
    pub(crate) fn note_memory(&self, bytes: u64) {
        let mut entries = self.entries();
        entries.memory_bytes_peak = entries.memory_bytes_peak.max(bytes);
    }

    /// Notes that something was refused to the guest because of a limit.
    pub(crate) fn note_refusal(&self, exceeded: Exceeded) {
        self.entries().refused.get_or_insert(exceeded);
    }

    /// Notes that the guest has called the host.
    pub(crate) fn note_host_call(&self) {
        self.host_calls.fetch_add(1, Ordering::Relaxed);
    }

    /// How often the guest has called the host.
    pub(crate) fn host_calls(&self) -> u32 {
        self.host_calls.load(Ordering::Relaxed)
    }

    /// Closes the ledger. A request still under way is lost.
    pub(crate) fn close(&self) -> Left {
        let mut entries = self.entries();
        entries.end_line(Stdio::Output);
        entries.end_line(Stdio::Error);
        Left {
            logs: std::mem::take(&mut entries.logs),
            logs_dropped: entries.logs_dropped,
            requests: std::mem::take(&mut entries.requests),
            lost_request: entries.lost || entries.unsettled > 0,
            memory_bytes_peak: entries.memory_bytes_peak,
            host_calls: self.host_calls(),
            refused: entries.refused,
        }
    }

    fn entries(&self) -> MutexGuard<'_, Entries> {
        self.entries.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

impl Entries {
    fn log(&mut self, level: LogLevel, message: &str, fields: Pairs) {
        let size = fields.iter().fold(message.len(), |size, (name, value)| size + name.len() + value.len());
        let size = u32::try_from(size).unwrap_or(u32::MAX);
        if self.log_lines_left == 0 || self.log_bytes_left < size {
            self.logs_dropped = self.logs_dropped.saturating_add(1);
            return;
        }
        self.log_lines_left -= 1;
        self.log_bytes_left -= size;
        let fields = fields.iter().map(|(name, value)| (clean(name), clean(value))).collect();
        self.logs.push(LogLine { level, message: clean(message), fields });
    }

    fn end_line(&mut self, stream: Stdio) {
        let line = std::mem::take(&mut self.partial[stream as usize]);
        let text = String::from_utf8_lossy(&line);
        let text = text.trim_end();
        if !text.is_empty() {
            let level = match stream {
                Stdio::Output => LogLevel::Info,
                Stdio::Error => LogLevel::Warn,
            };
            self.log(level, text, Vec::new());
        }
    }
}

/// A request under way. Dropped without [`Flight::land`], as when its call is ended, it is lost.
#[derive(Debug)]
pub(crate) struct Flight {
    ledger: Arc<Ledger>,
    can_have_effect: bool,
    landed: bool,
}

impl Flight {
    /// Notes how the request ended. `settled`: it was answered, or no byte of it was sent.
    pub(crate) fn land(mut self, record: RequestRecord, settled: bool) {
        self.landed = true;
        let mut entries = self.ledger.entries();
        entries.requests.push(record);
        if self.can_have_effect {
            entries.unsettled -= 1;
            entries.lost |= !settled;
        }
    }
}

impl Drop for Flight {
    fn drop(&mut self) {
        if !self.landed && self.can_have_effect {
            let mut entries = self.ledger.entries();
            entries.unsettled -= 1;
            entries.lost = true;
        }
    }
}

/// The text on one line, without what could steer a terminal or reorder what is shown.
pub(crate) fn clean(text: &str) -> String {
    let reorders = |char| matches!(char, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    text.chars()
        .filter_map(|char| match char {
            '\n' | '\r' | '\t' => Some(' '),
            char if char.is_control() || reorders(char) => None,
            char => Some(char),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record() -> RequestRecord {
        RequestRecord {
            method: "POST".to_owned(),
            origin: "https://api.example.com".to_owned(),
            path: "/".to_owned(),
            status: None,
            fault: None,
            duration_us: 1,
            exchange: None,
        }
    }

    #[test]
    fn lines_are_cleaned_and_bounded_and_the_rest_is_counted() {
        let ledger = Ledger::new(&Limits { log_lines: 3, log_bytes: 44, ..Limits::default() });
        ledger.log(LogLevel::Info, "a\u{1b}[31mb\nc\u{202e}", vec![("k\0".to_owned(), "v".to_owned())]);
        ledger.write(Stdio::Error, b"panicked at\nunfinished");
        ledger.log(LogLevel::Info, &"x".repeat(40), Vec::new());
        ledger.log(LogLevel::Debug, "more", Vec::new());
        let left = ledger.close();
        let messages: Vec<_> = left.logs.iter().map(|line| line.message.as_str()).collect();
        assert_eq!(messages, ["a[31mb c", "panicked at", "more"]);
        assert_eq!(left.logs[0].fields, [("k".to_owned(), "v".to_owned())]);
        assert_eq!(left.logs_dropped, 2);
    }

    #[test]
    fn a_request_is_lost_if_it_may_have_had_an_effect_and_was_not_answered() {
        for (can_have_effect, end, lost) in [
            (true, Some(true), false),
            (true, Some(false), true),
            (true, None, true),
            (false, Some(false), false),
            (false, None, false),
        ] {
            let ledger = Ledger::new(&Limits::default());
            let flight = ledger.begin_request(can_have_effect).expect("within the limit");
            match end {
                Some(settled) => flight.land(record(), settled),
                None => drop(flight),
            }
            assert_eq!(ledger.close().lost_request, lost, "{can_have_effect} {end:?}");
        }
        let ledger = Ledger::new(&Limits::default());
        let _flight = ledger.begin_request(true).expect("within the limit");
        assert!(ledger.close().lost_request, "still under way");
    }

    #[test]
    fn requests_beyond_the_limit_are_refused() {
        let ledger = Ledger::new(&Limits { http_requests: 1, ..Limits::default() });
        let first = ledger.begin_request(false);
        assert!(first.is_ok());
        assert_eq!(ledger.begin_request(false).expect_err("one too many"), Exceeded::HttpRequests(1));
    }
}
