// Signs webhooks with the JavaScript library of Standard Webhooks. One JSON object a line in, one with the header fields out.
import { createRequire } from "node:module";
import { createInterface } from "node:readline";
import path from "node:path";

const require = createRequire(path.join(process.cwd(), "package.json"));
const { Webhook } = require("standardwebhooks");

for await (const line of createInterface({ input: process.stdin })) {
  const { secret, id, timestamp, body } = JSON.parse(line);
  const signature = new Webhook(secret).sign(id, new Date(timestamp * 1000), body);
  console.log(
    JSON.stringify({ "webhook-id": id, "webhook-timestamp": String(timestamp), "webhook-signature": signature }),
  );
}
