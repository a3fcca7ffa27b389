/**
 * The text of UTF-8.
 *
 * @throws {Error} if it is something else
 */
export declare function decodeUtf8(bytes: Uint8Array): string;
/** The same, with a replacement character for each byte that is no ASCII if it is something else. */
export declare function decodeLoosely(bytes: Uint8Array): string;
/** UTF-8 of a text. Half a surrogate pair, which is no text, becomes a replacement character. */
export declare function encodeUtf8(text: string): Uint8Array;
/** The text, with half a surrogate pair replaced: no string that crosses the boundary of the sandbox may hold one. */
export declare function wellFormed(text: string): string;
/** Whether every surrogate of a text is one of a pair. */
export declare function isWellFormed(text: string): boolean;
