//! Metrics in the text format of Prometheus (version 0.0.4).

use std::fmt::Write;

use engine::LATENCY_BOUNDS_MS;

use crate::server::Shared;

impl Shared {
    pub(crate) fn metrics_text(&self) -> String {
        let (engine, store) = (self.engine.stats(), self.store.stats());
        let mut text = String::new();
        let mut counter = |name: &str, help: &str, value: u64| metric(&mut text, "counter", name, help, value);
        counter("weir_events_accepted_total", "Events taken in", engine.accepted);
        counter("weir_events_repeated_total", "Events that had been taken in before", engine.repeated);
        counter("weir_attempts_total", "Calls of actions", engine.attempts);
        counter("weir_retries_total", "Executions put off for another attempt", engine.retried);
        counter("weir_journal_records_total", "Records written", store.journal.records);
        counter("weir_journal_batches_total", "Batches written", store.journal.batches);
        counter("weir_journal_syncs_total", "Syncs of the journal", store.journal.syncs);
        counter("weir_journal_bytes_total", "Bytes written to the journal", store.journal.bytes);
        counter("weir_projection_operations_total", "Changes in the state database", store.projection_operations);
        let mut gauge = |name: &str, help: &str, value: u64| metric(&mut text, "gauge", name, help, value);
        gauge("weir_executions_queued", "Executions that wait in memory", engine.queued as u64);
        gauge("weir_executions_running", "Executions being worked on", engine.running as u64);
        gauge("weir_breakers_open", "Connections whose breaker is open", engine.breakers_open.len() as u64);
        gauge("weir_overlay_bytes", "Bytes not yet in the state database", store.overlay_bytes as u64);
        gauge("weir_journal_size_bytes", "Bytes of the journal's segments", store.segment_bytes);
        let _ = writeln!(text, "# HELP weir_executions_rested_total Executions that came to rest, by state");
        let _ = writeln!(text, "# TYPE weir_executions_rested_total counter");
        for (state, count) in &engine.rested {
            let _ = writeln!(text, "weir_executions_rested_total{{state=\"{state}\"}} {count}");
        }
        self.latency_histogram(&engine, &mut text);
        text
    }

    fn latency_histogram(&self, stats: &engine::Stats, text: &mut String) {
        let name = "weir_execution_seconds";
        let _ = writeln!(text, "# HELP {name} From receipt to end of finished executions");
        let _ = writeln!(text, "# TYPE {name} histogram");
        let mut sum = 0;
        for (bound, count) in LATENCY_BOUNDS_MS.iter().zip(&stats.latency) {
            sum += count;
            let _ = writeln!(text, "{name}_bucket{{le=\"{}\"}} {sum}", *bound as f64 / 1000.0);
        }
        sum += stats.latency.last().copied().unwrap_or_default();
        let _ = writeln!(text, "{name}_bucket{{le=\"+Inf\"}} {sum}");
        let _ = writeln!(text, "{name}_sum {}\n{name}_count {sum}", stats.latency_total.as_secs_f64());
    }
}

// Writing to a string does not fail.
fn metric(text: &mut String, kind: &str, name: &str, help: &str, value: u64) {
    let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} {kind}\n{name} {value}");
}
