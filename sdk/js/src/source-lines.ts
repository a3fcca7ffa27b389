// From a line of the bundle back to the line that the author wrote, by the table that the build leaves in it. Read only when
// an exception is told, so that a call that goes well pays nothing.

import type { Locate } from "./fault.js";

/** What `build/source-map.js` makes of a source map. */
export interface SourceMap {
  /** The author's files, relative to the plugin's folder. */
  sources: string[];
  /** For each line of the bundle, separated by `;`, its segments: `column source line column`, separated by `,`. */
  lines: string;
}

/** A function that names the place of a frame such as `map (bundle.js:12:7)` in the author's words. */
export function locator(map: SourceMap): Locate {
  const lines = map.lines.split(";");
  return (frame) => {
    const [, name = "", line = "", column = ""] = frame.match(/^(.*?)\s*\(?[^\s(]*?:(\d+):(\d+)\)?$/) ?? [];
    const place = placeOf(lines[Number(line) - 1] ?? "", Number(column) - 1);
    const file = place && map.sources[place[1]];
    if (!place || file === undefined) return undefined;
    const source = `${file}:${place[2] + 1}:${place[3] + 1}`;
    return name === "" || name === "<anonymous>" ? source : `${name} (${source})`;
  };
}

/** The last segment that begins at or before a column, else the first. */
function placeOf(line: string, column: number): [number, number, number, number] | undefined {
  const segments = line === "" ? [] : line.split(",").map((segment) => segment.split(" ").map(Number));
  const found = segments.findLast(([begins = 0]) => begins <= column) ?? segments[0];
  return found as [number, number, number, number] | undefined;
}
