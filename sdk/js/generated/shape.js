// What a document must look like, checked when it is read, with the type of it for TypeScript.
import { malformed } from "./document.js";
import { Fault } from "./fault.js";
import { Num } from "./json/index.js";
import { recall, writtenAs } from "./json/memory.js";
import { isWellFormed } from "./utf8.js";
/** A value that does not fit, with its JSON Pointer. */
class Misfit extends Error {
    pointer;
    constructor(pointer, message) {
        super(message);
        this.pointer = pointer;
    }
}
/** Reads a value by a shape; what does not fit is an `invalid-input` that names the field. */
export function read(shape, value, context) {
    try {
        return shape.read(value, "");
    }
    catch (error) {
        if (!(error instanceof Misfit))
            throw error;
        throw Fault.invalidInput(`${context}: ${error.message}`).field(error.pointer, error.message);
    }
}
/** A shape of values that a test tells. */
function leaf(expected, fits) {
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
export function text() {
    return leaf("a string", (value) => typeof value === "string");
}
/** `true` or `false`. */
export function boolean() {
    return leaf("a boolean", (value) => typeof value === "boolean");
}
/** A number that a JavaScript number holds. */
export function number() {
    return leaf("a number", (value) => typeof value === "number");
}
/** A whole number up to 2^53. */
export function integer() {
    return leaf("an integer", (value) => typeof value === "number" && Number.isSafeInteger(value));
}
/** Any number, without loss: an identifier of 64 bits, an amount of money. */
export function exact() {
    return leaf("a number", (value) => typeof value === "number" || typeof value === "bigint" || value instanceof Num);
}
/** Any number as it was written, `1.10` or `1E5`, and written so again wherever it is put. */
export function asWritten() {
    return {
        expected: "a number",
        read(value, at, text) {
            const number = exact().read(value, at);
            return number instanceof Num ? number : new Num(text ?? (Object.is(number, -0) ? "-0" : String(number)));
        },
    };
}
/** Whatever JSON can say. */
export function any() {
    return leaf("a value", (_) => true);
}
/** One of these texts. */
export function oneOf(...choices) {
    const expected = `one of ${choices.map((choice) => `\`${choice}\``).join(", ")}`;
    return {
        expected,
        read(value, at) {
            const read = text().read(value, at);
            const found = choices.find((choice) => choice === read);
            if (found === undefined)
                throw new Misfit(at, `unknown value \`${read}\`, expected ${expected}`);
            return found;
        },
    };
}
/** The one shape, or else the other. */
export function either(one, other) {
    const expected = `${one.expected} or ${other.expected}`;
    return {
        expected,
        read(value, at, text) {
            for (const shape of [one, other]) {
                try {
                    return shape.read(value, at, text);
                }
                catch (error) {
                    if (!(error instanceof Misfit))
                        throw error;
                }
            }
            throw new Misfit(at, `invalid type: ${describe(value)}, expected ${expected}`);
        },
    };
}
/** A list of items of one shape. */
export function list(item) {
    return {
        expected: "a sequence",
        read(value, at) {
            if (!Array.isArray(value))
                throw new Misfit(at, `invalid type: ${describe(value)}, expected a sequence`);
            const memory = recall(value);
            return value.map((each, index) => item.read(each, `${at}/${index}`, writtenAs(memory, index, each)));
        },
    };
}
/** An object whose keys are data: each value has the shape. */
export function record(item) {
    return {
        expected: "a map",
        read(value, at) {
            const map = mapAt(value, at);
            const memory = recall(map);
            const read = (key, each) => item.read(each, pointerTo(at, key), writtenAs(memory, key, each));
            return Object.fromEntries(Object.entries(map).map(([key, each]) => [key, read(key, each)]));
        },
    };
}
/** The shape, or nothing: a missing field and `null` are `undefined`. */
export function optional(shape) {
    return {
        expected: shape.expected,
        read: (value, at, text) => (value === undefined || value === null ? undefined : shape.read(value, at, text)),
    };
}
/** The shape, or `null`. */
export function nullable(shape) {
    return { expected: shape.expected, read: (value, at, text) => (value === null ? null : shape.read(value, at, text)) };
}
/** The shape, or this value where the field is missing. */
export function withDefault(shape, missing) {
    return {
        expected: shape.expected,
        read: (value, at, text) => (value === undefined ? missing : shape.read(value, at, text)),
    };
}
export function object(fields, others = "ignore") {
    return {
        expected: "a map",
        read(value, at) {
            const map = mapAt(value, at);
            if (others === "refuse")
                refuseOthers(fields, map, at);
            if (others === "keep")
                refuseHalves(map, at);
            // What is kept stays the object that was read, so that its numbers are still written as they came.
            const result = others === "keep" ? map : {};
            // In the order of the document: of several fields at fault, the first one is named.
            const memory = recall(map);
            for (const [key, field] of Object.entries(map)) {
                const shape = Object.hasOwn(fields, key) ? fields[key] : undefined;
                if (!shape)
                    continue;
                if (memory?.repeated?.has(key))
                    throw new Misfit(pointerTo(at, key), `duplicate field \`${key}\``);
                put(result, key, shape.read(field, pointerTo(at, key), writtenAs(memory, key, field)));
            }
            for (const [key, shape] of Object.entries(fields)) {
                if (!Object.hasOwn(map, key))
                    put(result, key, readMissing(shape, key, at));
            }
            return result;
        },
    };
}
function mapAt(value, at) {
    const isMap = typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Num);
    if (!isMap)
        throw new Misfit(at, `invalid type: ${describe(value)}, expected a map`);
    if (recall(value)?.hasHalves)
        for (const key of Object.keys(value))
            refuseHalves(key, at);
    return value;
}
/** Half a surrogate pair is no text, and nothing that was read may hold one. */
function refuseHalves(value, at) {
    const isContainer = typeof value === "object" && value !== null;
    const hasHalves = isContainer ? recall(value)?.hasHalves : typeof value === "string" && !isWellFormed(value);
    if (hasHalves)
        throw malformed(`\`${at}\` has half a surrogate pair, which is no text`);
}
function put(object, key, value) {
    if (value !== undefined)
        object[key] = value;
}
function readMissing(shape, key, at) {
    try {
        // Whether a field may be missing is known to its shape alone.
        return shape.read(undefined, at);
    }
    catch {
        throw new Misfit(pointerTo(at, key), `missing field \`${key}\``);
    }
}
function refuseOthers(fields, value, at) {
    const other = Object.keys(value).find((key) => !Object.hasOwn(fields, key));
    if (other === undefined)
        return;
    const known = Object.keys(fields).map((key) => `\`${key}\``);
    const expected = known.length === 0 ? "there are no fields" : `expected ${known.join(" or ")}`;
    throw new Misfit(pointerTo(at, other), `unknown field \`${other}\`, ${expected}`);
}
function pointerTo(at, key) {
    return `${at}/${key.replaceAll("~", "~0").replaceAll("/", "~1")}`;
}
function describe(value) {
    if (value === undefined || value === null)
        return "null";
    if (typeof value === "string")
        return `string ${JSON.stringify(value.slice(0, 100))}`;
    if (typeof value === "boolean")
        return `boolean \`${value}\``;
    if (typeof value === "bigint" || Number.isSafeInteger(value))
        return `integer \`${value}\``;
    if (typeof value === "number" || value instanceof Num)
        return `floating point \`${value}\``;
    return Array.isArray(value) ? "sequence" : "map";
}
