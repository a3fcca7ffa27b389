/** As deep as lists and objects may lie in each other; Weir itself reads no deeper ones. */
export declare const DEPTH_MAX = 127;
/**
 * Whether the engine's own reader and writer of JSON take a value without a loss. They are many times as fast as what is
 * written in the language they run.
 */
export declare function isPlain(value: unknown, depth?: number): boolean;
