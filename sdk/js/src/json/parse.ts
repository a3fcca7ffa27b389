import { isWellFormed } from "../utf8.js";
import { type Memory, remember } from "./memory.js";
import { type Num, numberOf } from "./num.js";
import { DEPTH_MAX, isPlain } from "./plain.js";

/** Whatever JSON can say. */
export type Json = null | boolean | number | bigint | Num | string | Json[] | { [key: string]: Json };

/**
 * A text of so many characters is not deeper than the engine's own reader goes: 2,000 lists in each other fit into the stack
 * of a sandbox, and 2,500 do not.
 */
const SHORT = 1500;

/** A text that is no JSON. */
export class JsonError extends Error {
  override name = "JsonError";
}

// Numbers that a double may not hold or write in the same way, keys that JavaScript would put in another order, and halves
// of surrogate pairs. Some strings look like them; those cost time and nothing else. It begins with one set of characters
// and looks back later, so that all others are done with in one step. It never looks back along a whole run of digits from
// each of them, which would take quadratic time.
const UNUSUAL = new RegExp(
  `[-\\d\\\\](?:${[
    /(?<=(?<!\d)\d)\d{15}(?<=(?:^|"\s*:|[,[])\s*-?\d{16})/,
    /(?<=\d)[.eE](?<=(?:^|"\s*:|[,[])\s*-?\d{1,15}[.eE])/,
    /(?<=-)0(?<=(?:^|"\s*:|[,[])\s*-0)/,
    /(?<=\d)"\s*:(?<="\d+"\s*:)/,
    /(?<=\\)u(?:003\d|[dD][89a-fA-F])/,
  ]
    .map((each) => each.source)
    .join("|")})`,
);

/**
 * Reads JSON without losing anything: whole numbers beyond 2^53 are a `bigint`, decimals that no double holds a `Num`, and
 * what was read and left where it is is written back the same, key by key and digit by digit.
 *
 * @throws {JsonError}
 */
export function parse(text: string): Json {
  return parseWith(text, false);
}

/**
 * The same for a reader that looks at some of it only: half a surrogate pair is left where it is, for the reader to refuse
 * if it comes by.
 *
 * @throws {JsonError}
 */
export function parseWhatIsRead(text: string): Json {
  return parseWith(text, true);
}

function parseWith(text: string, leavesHalves: boolean): Json {
  if (text.length > SHORT && mayBeTooDeep(text)) return new Reader(text, leavesHalves).document();
  try {
    const value = JSON.parse(text);
    // What the engine writes again in the same way lost nothing. Most of what machines send passes here; what is asked
    // below costs several times as much.
    if (isPlain(value) && JSON.stringify(value) === text) return value;
    if (UNUSUAL.test(text) || mayBeTooDeep(text)) return new Reader(text, leavesHalves).document();
    // What looks like a key and became none: it stands there twice, or is the end of a string.
    const isWhole = (text.match(/"\s*:/g)?.length ?? 0) === countKeys(value);
    return isWhole ? value : new Reader(text, leavesHalves).document();
  } catch {
    // The same fault, told in the same words on every engine.
    return new Reader(text, leavesHalves).document();
  }
}

function countKeys(value: Json): number {
  if (typeof value !== "object" || value === null) return 0;
  const items = Array.isArray(value) ? value : Object.values(value);
  let count = items === value ? 0 : items.length;
  for (const item of items) count += countKeys(item);
  return count;
}

/** Whether there are so many brackets that they could lie too deep. */
function hasManyBrackets(text: string): boolean {
  let count = 0;
  for (const bracket of ["[", "{"]) {
    for (let at = text.indexOf(bracket); at >= 0; at = text.indexOf(bracket, at + 1)) {
      count += 1;
      if (count > DEPTH_MAX) return true;
    }
  }
  return false;
}

/** Whether brackets lie too deep, if those in strings are counted too. */
function mayBeTooDeep(text: string): boolean {
  if (!hasManyBrackets(text)) return false;
  let depth = 0;
  let deepest = 0;
  for (const bracket of text.replaceAll(/[^[\]{}]+/g, "")) {
    depth += bracket === "[" || bracket === "{" ? 1 : -1;
    deepest = Math.max(deepest, depth);
  }
  return deepest > DEPTH_MAX;
}

const SPACE = /[ \t\n\r]*/y;
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
// biome-ignore lint/suspicious/noControlCharactersInRegex: JSON wants them escaped
const STRING = /"[^"\\\x00-\x1f]*(?:\\.[^"\\\x00-\x1f]*)*"/y;
const WORD = /true|false|null/y;
const WORDS: Record<string, Json> = { true: true, false: false, null: null };

class Reader {
  readonly #text: string;
  readonly #leavesHalves: boolean;
  #at = 0;
  #halves = 0;

  constructor(text: string, leavesHalves: boolean) {
    this.#text = text;
    this.#leavesHalves = leavesHalves;
  }

  document(): Json {
    const value = this.#value(0, undefined, "");
    this.#take(SPACE);
    if (this.#at < this.#text.length) this.#fail("something follows the value");
    return value;
  }

  /** Reads a value; how a number was written goes into the memory of what holds it. */
  #value(depth: number, holder: Memory | undefined, key: string | number): Json {
    this.#take(SPACE);
    const first = this.#text[this.#at];
    if (first === "{" || first === "[") {
      if (depth === DEPTH_MAX) this.#fail(`nested more than ${DEPTH_MAX} deep`);
      return first === "{" ? this.#object(depth + 1) : this.#list(depth + 1);
    }
    if (first === '"') return this.#string();
    const number = this.#take(NUMBER);
    if (number === undefined) return this.#word();
    const value = numberOf(number);
    if (holder && typeof value === "number" && String(value) !== number) {
      holder.numbers ??= new Map();
      holder.numbers.set(key, { value, text: number });
    }
    return value;
  }

  #word(): Json {
    const word = this.#take(WORD);
    if (word === undefined)
      this.#fail(this.#at < this.#text.length ? "a value is expected" : "the text ends too early");
    return WORDS[word] ?? null;
  }

  #list(depth: number): Json[] {
    const list: Json[] = [];
    const memory: Memory = {};
    const halves = this.#halves;
    this.#at += 1;
    if (!this.#skip("]")) {
      do list.push(this.#value(depth, memory, list.length));
      while (this.#skip(","));
      if (!this.#skip("]")) this.#fail("`,` or `]` is expected");
    }
    if (this.#halves > halves) memory.hasHalves = true;
    if (memory.numbers || memory.hasHalves) remember(list, memory);
    return list;
  }

  #object(depth: number): Json {
    const object: { [key: string]: Json } = {};
    const memory: Memory = {};
    const keys = new Set<string>();
    const halves = this.#halves;
    this.#at += 1;
    if (!this.#skip("}")) {
      do {
        this.#take(SPACE);
        const key = this.#string();
        if (!this.#skip(":")) this.#fail("`:` is expected");
        if (keys.has(key)) {
          // The last value counts, unless a shape knows the key and refuses it.
          memory.repeated ??= new Set();
          memory.repeated.add(key);
          memory.numbers?.delete(key);
        }
        const value = this.#value(depth, memory, key);
        Object.defineProperty(object, key, { value, writable: true, enumerable: true, configurable: true });
        keys.add(key);
      } while (this.#skip(","));
      if (!this.#skip("}")) this.#fail("`,` or `}` is expected");
    }
    const written = [...keys];
    if (Object.keys(object).some((key, index) => key !== written[index])) memory.keys = written;
    if (this.#halves > halves) memory.hasHalves = true;
    if (Object.keys(memory).length > 0) remember(object, memory);
    return object;
  }

  #string(): string {
    const start = this.#at;
    const string = this.#take(STRING);
    if (string === undefined) this.#fail("a string is expected");
    const read = string.includes("\\") ? this.#unescape(string, start) : string.slice(1, -1);
    if (isWellFormed(read)) return read;
    this.#halves += 1;
    if (this.#leavesHalves) return read;
    this.#at = start;
    return this.#fail("a string has half a surrogate pair, which is no text");
  }

  #unescape(string: string, start: number): string {
    try {
      return JSON.parse(string);
    } catch {
      this.#at = start;
      return this.#fail("a string has an escape that JSON does not know");
    }
  }

  #skip(character: string): boolean {
    this.#take(SPACE);
    if (this.#text[this.#at] !== character) return false;
    this.#at += 1;
    return true;
  }

  #take(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text)?.[0];
    this.#at += found?.length ?? 0;
    return found;
  }

  #fail(what: string): never {
    const before = this.#text.slice(0, this.#at).split("\n");
    throw new JsonError(`${what} at line ${before.length} column ${(before.at(-1)?.length ?? 0) + 1}`);
  }
}
