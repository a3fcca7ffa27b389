// Makes tickets of what Prometheus' Alertmanager sends to a webhook (its format, version 4): one of each alert that fires.
// Alerts that are over go no further. Start at `map`.

import { Documents, type Infer, type Mapping, mapper, shape } from "@weir/sdk";

/** Labels and annotations: whatever whoever wrote the alerting rule has put there. */
const Words = shape.withDefault(shape.record(shape.text()), {});

const Alert = shape.object({
  status: shape.oneOf("firing", "resolved"),
  labels: Words,
  annotations: Words,
  startsAt: shape.text(),
  generatorURL: shape.withDefault(shape.text(), ""),
  fingerprint: shape.text(),
});

const Notification = shape.object({
  alerts: shape.list(Alert),
  externalURL: shape.withDefault(shape.text(), ""),
});

const Priority = shape.oneOf("low", "normal", "high", "urgent");

/** What the flow may choose: which severity means which priority, beside what is usual. */
const Options = shape.object({ priorities: shape.withDefault(shape.record(Priority), {}) }, "refuse");

const USUAL: Record<string, Infer<typeof Priority>> = { critical: "urgent", error: "high", warning: "normal", info: "low" };

function map({ input, options }: Mapping<Infer<typeof Notification>, Infer<typeof Options>>): Documents {
  const firing = input.alerts.filter((alert) => alert.status === "firing");
  const priorities = { ...USUAL, ...options.priorities };
  return Documents.split(firing.map((alert) => ticketOf(alert, priorities[alert.labels.severity ?? ""] ?? "normal")));
}

function ticketOf(alert: Infer<typeof Alert>, priority: Infer<typeof Priority>) {
  const { labels, annotations } = alert;
  const name = labels.alertname ?? "Alert";
  const title = annotations.summary ?? [name, labels.instance].filter((part) => part !== undefined).join(" on ");
  const body = [annotations.description, linkOf("Rule", alert.generatorURL), linkOf("Runbook", annotations.runbook_url)];
  return {
    title,
    body: body.filter((part) => part !== undefined).join("\n\n") || undefined,
    priority,
    // An alert that fires again later is another one, so the time at which it began belongs to the reference.
    reference: `${alert.fingerprint}@${alert.startsAt}`,
    labels: Object.keys(labels).sort().map((key) => `${key}=${labels[key]}`),
  };
}

function linkOf(what: string, url: string | undefined): string | undefined {
  return url ? `${what}: ${url}` : undefined;
}

export default mapper(map, { input: Notification, options: Options });
