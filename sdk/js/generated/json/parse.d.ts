import { type Num } from "./num.js";
/** Whatever JSON can say. */
export type Json = null | boolean | number | bigint | Num | string | Json[] | {
    [key: string]: Json;
};
/** As deep as lists and objects may lie in each other; Weir's other SDKs have the same limit. */
export declare const DEPTH_MAX = 128;
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
