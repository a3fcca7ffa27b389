import type { Locate } from "./fault.js";
/** As much of a source map as is needed. */
export interface SourceMap {
    /** The author's files, relative to the plugin's folder. */
    sources: string[];
    /** What the format says: lines separated by `;`, segments by `,`, numbers in base64 VLQ. */
    mappings: string;
}
/** A function that names the place of a frame such as `map (bundle.js:12:7)` in the author's words. */
export declare function locator(map: SourceMap): Locate;
