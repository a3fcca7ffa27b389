// What a document must look like, checked when it is read, with the type of it for TypeScript.

import { malformed } from "./document.js";
import { Fault } from "./fault.js";
import { type Json, Num } from "./json/index.js";
import { recall, writtenAs } from "./json/memory.js";
import { isWellFormed } from "./utf8.js";

/** Reads a value of JSON, or throws a {@link Misfit}. */
export interface Shape<T> {
  /** `text` is how a number was written, where that is another way than JavaScript's. */
  readonly read: (value: Json | undefined, at: string, text?: string) => T;
  /** What is expected, as in `expected a string`. */
  readonly expected: string;
}

/** The type of what a shape reads: `type Lead = Infer<typeof Lead>`. */
export type Infer<S> = S extends Shape<infer T> ? T : never;

/** A value that does not fit, with its JSON Pointer. */
class Misfit extends Error {
  readonly pointer: string;

  constructor(pointer: string, message: string) {
    super(message);
    this.pointer = pointer;
  }
}

/** Reads a value by a shape; what does not fit is an `invalid-input` that names the field. */
export function read<T>(shape: Shape<T>, value: Json, context: string): T {
  try {
    return shape.read(value, "");
  } catch (error) {
    if (!(error instanceof Misfit)) throw error;
    throw Fault.invalidInput(`${context}: ${error.message}`).field(error.pointer, error.message);
  }
}

/** A shape of values that a test tells. */
function leaf<T extends Json>(expected: string, fits: (value: Json) => value is T): Shape<T> {
  return {
    expected,
    read(value, at) {
      if (value === undefined || !fits(value)) {
        throw new Misfit(at, `invalid type: ${describe(value)}, expected ${expected}`);
      }
      refuseHalves(value, at);
      return value;
    },
  };
}

/** Text. */
export function text(): Shape<string> {
  return leaf("a string", (value): value is string => typeof value === "string");
}

/** `true` or `false`. */
export function boolean(): Shape<boolean> {
  return leaf("a boolean", (value): value is boolean => typeof value === "boolean");
}

/** A number that a JavaScript number holds. */
export function number(): Shape<number> {
  return leaf("a number", (value): value is number => typeof value === "number");
}

/** A whole number up to 2^53. */
export function integer(): Shape<number> {
  return leaf("an integer", (value): value is number => typeof value === "number" && Number.isSafeInteger(value));
}

/** Any number, without loss: an identifier of 64 bits, an amount of money. */
export function exact(): Shape<number | bigint | Num> {
  return leaf(
    "a number",
    (value): value is number | bigint | Num =>
      typeof value === "number" || typeof value === "bigint" || value instanceof Num,
  );
}

/** Any number as it was written, `1.10` or `1E5`, and written so again wherever it is put. */
export function asWritten(): Shape<Num> {
  return {
    expected: "a number",
    read(value, at, text) {
      const number = exact().read(value, at);
      return number instanceof Num ? number : new Num(text ?? (Object.is(number, -0) ? "-0" : String(number)));
    },
  };
}

/** Whatever JSON can say. */
export function any(): Shape<Json> {
  return leaf("a value", (_): _ is Json => true);
}

/** One of these texts. */
export function oneOf<const T extends string>(...choices: T[]): Shape<T> {
  const expected = `one of ${choices.map((choice) => `\`${choice}\``).join(", ")}`;
  return {
    expected,
    read(value, at) {
      const read = text().read(value, at);
      const found = choices.find((choice) => choice === read);
      if (found === undefined) throw new Misfit(at, `unknown value \`${read}\`, expected ${expected}`);
      return found;
    },
  };
}

/** The one shape, or else the other. */
export function either<A, B>(one: Shape<A>, other: Shape<B>): Shape<A | B> {
  const expected = `${one.expected} or ${other.expected}`;
  return {
    expected,
    read(value, at, text) {
      for (const shape of [one, other]) {
        try {
          return shape.read(value, at, text);
        } catch (error) {
          if (!(error instanceof Misfit)) throw error;
        }
      }
      throw new Misfit(at, `invalid type: ${describe(value)}, expected ${expected}`);
    },
  };
}

/** A list of items of one shape. */
export function list<T>(item: Shape<T>): Shape<T[]> {
  return {
    expected: "a sequence",
    read(value, at) {
      if (!Array.isArray(value)) throw new Misfit(at, `invalid type: ${describe(value)}, expected a sequence`);
      const memory = recall(value);
      return value.map((each, index) => item.read(each, `${at}/${index}`, writtenAs(memory, index, each)));
    },
  };
}

/** An object whose keys are data: each value has the shape. */
export function record<T>(item: Shape<T>): Shape<Record<string, T>> {
  return {
    expected: "a map",
    read(value, at) {
      const map = mapAt(value, at);
      const memory = recall(map);
      const read = (key: string, each: Json) => item.read(each, pointerTo(at, key), writtenAs(memory, key, each));
      return Object.fromEntries(Object.entries(map).map(([key, each]) => [key, read(key, each)]));
    },
  };
}

/** The shape, or nothing: a missing field and `null` are `undefined`. */
export function optional<T>(shape: Shape<T>): Shape<T | undefined> {
  return {
    expected: shape.expected,
    read: (value, at, text) => (value === undefined || value === null ? undefined : shape.read(value, at, text)),
  };
}

/** The shape, or `null`. */
export function nullable<T>(shape: Shape<T>): Shape<T | null> {
  return { expected: shape.expected, read: (value, at, text) => (value === null ? null : shape.read(value, at, text)) };
}

/** The shape, or this value where the field is missing. */
export function withDefault<T>(shape: Shape<T>, missing: T): Shape<T> {
  return {
    expected: shape.expected,
    read: (value, at, text) => (value === undefined ? missing : shape.read(value, at, text)),
  };
}

/** What becomes of fields that the shape does not name. */
export type Others = "ignore" | "refuse" | "keep";

type Fields = Record<string, Shape<unknown>>;
type OptionalKeys<F extends Fields> = { [K in keyof F]: undefined extends Infer<F[K]> ? K : never }[keyof F];
type Flat<T> = { [K in keyof T]: T[K] };

/** The type of an object of these fields: those that may be `undefined` may be left out. */
export type ObjectOf<F extends Fields> = Flat<
  { [K in Exclude<keyof F, OptionalKeys<F>>]: Infer<F[K]> } & { [K in OptionalKeys<F>]?: Infer<F[K]> }
>;

/** An object with these fields. Others are left alone unless `others` says something else. */
export function object<F extends Fields>(fields: F, others?: "ignore" | "refuse"): Shape<ObjectOf<F>>;
export function object<F extends Fields>(
  fields: F,
  others: "keep",
): Shape<ObjectOf<F> & { [key: string]: Json | undefined }>;
export function object<F extends Fields>(fields: F, others: Others = "ignore"): Shape<ObjectOf<F>> {
  return {
    expected: "a map",
    read(value, at) {
      const map = mapAt(value, at);
      if (others === "refuse") refuseOthers(fields, map, at);
      if (others === "keep") refuseHalves(map, at);
      // What is kept stays the object that was read, so that its numbers are still written as they came.
      const result: Record<string, unknown> = others === "keep" ? map : {};
      // In the order of the document: of several fields at fault, the first one is named.
      const memory = recall(map);
      for (const [key, field] of Object.entries(map)) {
        const shape = Object.hasOwn(fields, key) ? fields[key] : undefined;
        if (!shape) continue;
        if (memory?.repeated?.has(key)) throw new Misfit(pointerTo(at, key), `duplicate field \`${key}\``);
        put(result, key, shape.read(field, pointerTo(at, key), writtenAs(memory, key, field)));
      }
      for (const [key, shape] of Object.entries(fields)) {
        if (!Object.hasOwn(map, key)) put(result, key, readMissing(shape, key, at));
      }
      return result as ObjectOf<F>;
    },
  };
}

function mapAt(value: Json | undefined, at: string): { [key: string]: Json } {
  const isMap = typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Num);
  if (!isMap) throw new Misfit(at, `invalid type: ${describe(value)}, expected a map`);
  if (recall(value)?.hasHalves) for (const key of Object.keys(value)) refuseHalves(key, at);
  return value;
}

/** Half a surrogate pair is no text, and nothing that was read may hold one. */
function refuseHalves(value: Json, at: string): void {
  const isContainer = typeof value === "object" && value !== null;
  const hasHalves = isContainer ? recall(value)?.hasHalves : typeof value === "string" && !isWellFormed(value);
  if (hasHalves) throw malformed(`\`${at}\` has half a surrogate pair, which is no text`);
}

function put(object: Record<string, unknown>, key: string, value: unknown): void {
  if (value !== undefined) object[key] = value;
}

function readMissing(shape: Shape<unknown>, key: string, at: string): unknown {
  try {
    // Whether a field may be missing is known to its shape alone.
    return shape.read(undefined, at);
  } catch {
    throw new Misfit(pointerTo(at, key), `missing field \`${key}\``);
  }
}

function refuseOthers(fields: Fields, value: Record<string, Json>, at: string): void {
  const other = Object.keys(value).find((key) => !Object.hasOwn(fields, key));
  if (other === undefined) return;
  const known = Object.keys(fields).map((key) => `\`${key}\``);
  const expected = known.length === 0 ? "there are no fields" : `expected ${known.join(" or ")}`;
  throw new Misfit(pointerTo(at, other), `unknown field \`${other}\`, ${expected}`);
}

function pointerTo(at: string, key: string): string {
  return `${at}/${key.replaceAll("~", "~0").replaceAll("/", "~1")}`;
}

function describe(value: Json | undefined): string {
  if (value === undefined || value === null) return "null";
  if (typeof value === "string") return `string ${JSON.stringify(value.slice(0, 100))}`;
  if (typeof value === "boolean") return `boolean \`${value}\``;
  if (typeof value === "bigint" || Number.isSafeInteger(value)) return `integer \`${value}\``;
  if (typeof value === "number" || value instanceof Num) return `floating point \`${value}\``;
  return Array.isArray(value) ? "sequence" : "map";
}
