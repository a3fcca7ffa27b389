import type { Locate } from "./fault.js";
/** What `build/source-map.js` makes of a source map. */
export interface SourceMap {
    /** The author's files, relative to the plugin's folder. */
    sources: string[];
    /** For each line of the bundle, separated by `;`, its segments: `column source line column`, separated by `,`. */
    lines: string;
}
/** A function that names the place of a frame such as `map (bundle.js:12:7)` in the author's words. */
export declare function locator(map: SourceMap): Locate;
