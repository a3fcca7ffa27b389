import { Fault } from "./fault.js";
import type { Document as WireDocument } from "./generated/contract.js";
import { type Json } from "./json/index.js";
/** Bytes with a media type: a payload, the input of a step, its output. */
export declare class Document {
    /** The media type (RFC 9110, section 8.3.1), such as `application/json`. */
    readonly contentType: string;
    /** The bytes. */
    readonly data: Uint8Array;
    /** What the format cannot say: file names, row numbers, header fields. */
    readonly metadata: [name: string, value: string][];
    constructor(contentType: string, data: Uint8Array | string, metadata?: [name: string, value: string][]);
    /** A document of `application/json`. */
    static json(value: unknown): Document;
    /** Whether the media type is JSON or built on it (RFC 6839, section 3.1), or not said. */
    isJson(): boolean;
    /**
     * The bytes as text.
     *
     * @throws {Fault} `invalid-input` if they are no UTF-8
     */
    text(): string;
    /**
     * The value that the bytes say in JSON, without any loss.
     *
     * @throws {Fault} `invalid-input` if they are something else
     */
    json(): Json;
}
/** Several documents, or none. */
export declare class Documents {
    readonly list: readonly Document[];
    constructor(list: readonly Document[]);
    /** The event goes no further here. */
    static none(): Documents;
    /** Each goes on by itself: a document as it is, anything else as JSON. */
    static split(items: Iterable<unknown>): Documents;
}
/** A document as it is, anything else as JSON. */
export declare function documentOf(value: unknown): Document;
/** Reads JSON for a shape, which looks at some of it only; what is none is an `invalid-input`. */
export declare function readWhatIsRead(document: Document): Json;
/** What is no JSON is an `invalid-input`. */
export declare function readJson(read: () => Json): Json;
/** What an input is that is no JSON. */
export declare function malformed(why: string): Fault;
/** A document that came in, with what one can do with it. */
export declare function ownDocument({ contentType, data, metadata }: WireDocument): Document;
/** What crosses the boundary. */
export declare function wireDocument({ contentType, data, metadata }: Document): WireDocument;
/** What crosses the boundary. */
export declare function wirePairs(pairs: readonly (readonly [string, string])[]): [string, string][];
