// What Alertmanager sends, and the tickets that come of it.

import assert from "node:assert/strict";
import { test } from "node:test";
import { transform, transformJson } from "@weir/sdk/testing";
import plugin from "../src/plugin.js";

const disk = {
  status: "firing",
  labels: { severity: "critical", alertname: "DiskFull", instance: "db1" },
  annotations: { summary: "Disk of db1 is almost full", description: "3 % are left.", runbook_url: "https://run.example/disk" },
  startsAt: "2026-11-23T01:34:32.118Z",
  endsAt: "0001-01-01T00:00:00Z",
  generatorURL: "https://prometheus.example/graph?g0.expr=x",
  fingerprint: "c1b5a2d0e4f39a77",
};
const over = { ...disk, status: "resolved", fingerprint: "aa" };
const bare = { status: "firing", labels: { alertname: "Down", instance: "web2" }, startsAt: "2026-11-23T02:00:00Z", fingerprint: "bb" };

test("each alert that fires becomes a ticket", () => {
  assert.deepEqual(transformJson(plugin, { version: "4", alerts: [disk, over, bare] }), [
    {
      title: "Disk of db1 is almost full",
      body: "3 % are left.\n\nRule: https://prometheus.example/graph?g0.expr=x\n\nRunbook: https://run.example/disk",
      priority: "urgent",
      reference: "c1b5a2d0e4f39a77@2026-11-23T01:34:32.118Z",
      labels: ["alertname=DiskFull", "instance=db1", "severity=critical"],
    },
    {
      title: "Down on web2",
      priority: "normal",
      reference: "bb@2026-11-23T02:00:00Z",
      labels: ["alertname=Down", "instance=web2"],
    },
  ]);
});

test("alerts that are over go no further", () => {
  assert.deepEqual(transform(plugin, { alerts: [over] }), []);
});

test("the flow chooses what a severity means", () => {
  const [ticket] = transformJson(plugin, { alerts: [disk] }, { options: { priorities: { critical: "high" } } });
  assert.equal((ticket as { priority: string }).priority, "high");
  assert.throws(() => transform(plugin, { alerts: [disk] }, { options: { priorities: { critical: "huge" } } }), { code: "options" });
});

test("what Alertmanager does not send names its field", () => {
  assert.throws(() => transform(plugin, { alerts: [disk, { ...disk, status: "maybe" }] }), {
    kind: "invalid-input",
    fields: [{ pointer: "/alerts/1/status", message: "unknown value `maybe`, expected one of `firing`, `resolved`" }],
  });
  assert.throws(() => transform(plugin, {}), { fields: [{ pointer: "/alerts", message: "missing field `alerts`" }] });
});
