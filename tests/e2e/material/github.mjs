// Writes every payload of @octokit/webhooks-examples as a file: EVENT.NUMBER.json, EVENT being what GitHub says in
// `X-GitHub-Event`. Prints how many.
import { createRequire } from "node:module";
import fs from "node:fs";
import path from "node:path";

const require = createRequire(path.join(process.cwd(), "package.json"));
const folder = process.argv[2];
if (!folder) throw new Error("give the folder to write into");
fs.mkdirSync(folder, { recursive: true });

let written = 0;
for (const { name, examples } of require("@octokit/webhooks-examples")) {
  examples.forEach((example, number) => {
    const file = `${name}.${String(number).padStart(3, "0")}.json`;
    fs.writeFileSync(path.join(folder, file), JSON.stringify(example));
    written += 1;
  });
}
console.log(written);
