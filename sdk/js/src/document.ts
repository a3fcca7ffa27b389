import { Fault } from "./fault.js";
import type { Document as WireDocument } from "./generated/contract.js";
import { type Json, JsonError, parse, stringify } from "./json/index.js";
import { parseWhatIsRead } from "./json/parse.js";
import { decodeUtf8, encodeUtf8, wellFormed } from "./utf8.js";

/** Bytes with a media type: a payload, the input of a step, its output. */
export class Document {
  /** The media type (RFC 9110, section 8.3.1), such as `application/json`. */
  readonly contentType: string;
  /** The bytes. */
  readonly data: Uint8Array;
  /** What the format cannot say: file names, row numbers, header fields. */
  readonly metadata: [name: string, value: string][];

  constructor(contentType: string, data: Uint8Array | string, metadata: [name: string, value: string][] = []) {
    this.contentType = contentType;
    this.data = typeof data === "string" ? encodeUtf8(data) : data;
    this.metadata = metadata;
  }

  /** A document of `application/json`. */
  static json(value: unknown): Document {
    return new Document("application/json", stringify(value));
  }

  /** Whether the media type is JSON or built on it (RFC 6839, section 3.1), or not said. */
  isJson(): boolean {
    const essence = (this.contentType.split(";")[0] ?? "").trim().toLowerCase();
    return essence === "" || essence === "application/json" || essence.endsWith("+json");
  }

  /**
   * The bytes as text.
   *
   * @throws {Fault} `invalid-input` if they are no UTF-8
   */
  text(): string {
    try {
      return decodeUtf8(this.data);
    } catch {
      throw Fault.invalidInput("the input is not UTF-8").withCode("malformed-text");
    }
  }

  /**
   * The value that the bytes say in JSON, without any loss.
   *
   * @throws {Fault} `invalid-input` if they are something else
   */
  json(): Json {
    wantJson(this);
    return readJson(() => parse(decodeUtf8(this.data)));
  }
}

/** Several documents, or none. */
export class Documents {
  readonly list: readonly Document[];

  constructor(list: readonly Document[]) {
    this.list = list;
  }

  /** The event goes no further here. */
  static none(): Documents {
    return new Documents([]);
  }

  /** Each goes on by itself: a document as it is, anything else as JSON. */
  static split(items: Iterable<unknown>): Documents {
    return new Documents(Array.from(items, documentOf));
  }
}

/** A document as it is, anything else as JSON. */
export function documentOf(value: unknown): Document {
  return value instanceof Document ? value : Document.json(value);
}

/** Reads JSON for a shape, which looks at some of it only; what is none is an `invalid-input`. */
export function readWhatIsRead(document: Document): Json {
  wantJson(document);
  return readJson(() => parseWhatIsRead(decodeUtf8(document.data)));
}

function wantJson(document: Document): void {
  if (document.isJson()) return;
  const message = `the input is \`${document.contentType}\`, and JSON is needed`;
  throw Fault.invalidInput(message).withCode("content-type");
}

/** What is no JSON is an `invalid-input`. */
export function readJson(read: () => Json): Json {
  try {
    return read();
  } catch (error) {
    throw malformed(error instanceof JsonError ? error.message : "it is not UTF-8");
  }
}

/** What an input is that is no JSON. */
export function malformed(why: string): Fault {
  return Fault.invalidInput(`the input is not JSON: ${why}`).withCode("malformed-json");
}

/** A document that came in, with what one can do with it. */
export function ownDocument({ contentType, data, metadata }: WireDocument): Document {
  return new Document(contentType, data, metadata);
}

/** What crosses the boundary. */
export function wireDocument({ contentType, data, metadata }: Document): WireDocument {
  return { contentType: wellFormed(contentType), data, metadata: wirePairs(metadata) };
}

/** What crosses the boundary. */
export function wirePairs(pairs: readonly (readonly [string, string])[]): [string, string][] {
  return pairs.map(([name, value]) => [wellFormed(name), wellFormed(value)]);
}
