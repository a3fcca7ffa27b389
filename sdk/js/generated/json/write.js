import { isWellFormed, wellFormed } from "../utf8.js";
import { recall, writtenAs } from "./memory.js";
import { Num } from "./num.js";
import { DEPTH_MAX, isPlain } from "./plain.js";
/**
 * Writes JSON without spaces. As `JSON.stringify`, but that nothing is lost on the way: a `bigint` and a `Num` are written
 * digit by digit, what was read by `parse` and left where it is is written as it came, and what JSON cannot say is refused
 * instead of becoming `null`.
 *
 * @throws {TypeError} for a number that is none or infinite, and what lies in itself
 */
export function stringify(value) {
    if (isPlain(value))
        return JSON.stringify(value);
    const text = write(value, 0);
    if (text === undefined)
        throw new TypeError(`${typeof value} cannot be written as JSON`);
    return text;
}
/** None for what `JSON.stringify` leaves out. */
function write(value, depth) {
    switch (typeof value) {
        case "string":
            return writeString(value);
        case "number":
            if (!Number.isFinite(value))
                throw new TypeError(`${value} cannot be written as JSON`);
            return Object.is(value, -0) ? "-0.0" : String(value);
        case "boolean":
        case "bigint":
            return String(value);
        case "object":
            return value === null ? "null" : writeObject(value, depth + 1);
        default:
            return undefined;
    }
}
/** Half a surrogate pair, as cutting a text can leave it, becomes a replacement character: no reader takes it for text. */
function writeString(text) {
    return JSON.stringify(isWellFormed(text) ? text : wellFormed(text));
}
function writeObject(value, depth) {
    if (value instanceof Num)
        return value.text;
    if (depth > DEPTH_MAX)
        throw new TypeError(`more than ${DEPTH_MAX} lists and objects lie in each other`);
    if ("toJSON" in value && typeof value.toJSON === "function")
        return write(value.toJSON(), depth);
    const memory = recall(value);
    const text = (key, item) => writtenAs(memory, key, item) ?? write(item, depth);
    if (Array.isArray(value))
        return `[${value.map((item, index) => text(index, item) ?? "null").join(",")}]`;
    const parts = [];
    for (const key of keysOf(value, memory?.keys)) {
        const member = text(key, value[key]);
        if (member !== undefined)
            parts.push(`${writeString(key)}:${member}`);
    }
    return `{${parts.join(",")}}`;
}
/** The keys in the order in which they were read, then those that were added. */
function keysOf(value, read) {
    const keys = Object.keys(value);
    if (!read)
        return keys;
    const there = new Set(keys);
    return new Set([...read.filter((key) => there.has(key)), ...keys]);
}
