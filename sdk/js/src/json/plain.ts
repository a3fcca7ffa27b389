import { isWellFormed } from "../utf8.js";
import { recall } from "./memory.js";

/** As deep as lists and objects may lie in each other; Weir itself reads no deeper ones. */
export const DEPTH_MAX = 127;

/**
 * Whether the engine's own reader and writer of JSON take a value without a loss. They are many times as fast as what is
 * written in the language they run.
 */
export function isPlain(value: unknown, depth = 0): boolean {
  switch (typeof value) {
    case "string":
      return isWellFormed(value);
    case "boolean":
      return true;
    case "number":
      // A whole number beyond 2^53 may be another one that a double does not hold.
      return Number.isInteger(value) ? Number.isSafeInteger(value) && !Object.is(value, -0) : Number.isFinite(value);
    case "undefined":
      // Is left out.
      return depth > 0;
    case "object":
      return value === null || isPlainObject(value, depth + 1);
    default:
      return false;
  }
}

function isPlainObject(value: object, depth: number): boolean {
  if (depth > DEPTH_MAX || "toJSON" in value || recall(value)) return false;
  const prototype = Object.getPrototypeOf(value);
  if (prototype === Array.prototype) return (value as unknown[]).every((item) => isPlain(item, depth));
  if (prototype !== Object.prototype && prototype !== null) return false;
  for (const key of Object.keys(value)) {
    if (!isWellFormed(key) || !isPlain((value as Record<string, unknown>)[key], depth)) return false;
  }
  return true;
}
