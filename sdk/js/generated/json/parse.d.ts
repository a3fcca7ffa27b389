import { type Num } from "./num.js";
/** Whatever JSON can say. */
export type Json = null | boolean | number | bigint | Num | string | Json[] | {
    [key: string]: Json;
};
/** A text that is no JSON. */
export declare class JsonError extends Error {
    name: string;
}
/**
 * Reads JSON without losing anything: whole numbers beyond 2^53 are a `bigint`, decimals that no double holds a `Num`, and
 * what was read and left where it is is written back the same, key by key and digit by digit.
 *
 * @throws {JsonError}
 */
export declare function parse(text: string): Json;
/**
 * The same for a reader that looks at some of it only: half a surrogate pair is left where it is, for the reader to refuse
 * if it comes by.
 *
 * @throws {JsonError}
 */
export declare function parseWhatIsRead(text: string): Json;
