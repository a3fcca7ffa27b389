import { wellFormed } from "./utf8.js";
/** The longest time that the contract can say, in milliseconds: 49 days. */
const MILLIS_MAX = 2 ** 32 - 1;
/** As many lines of a stack as a traceback holds: enough to see the way, too few to drown the rest. */
const FRAMES_MAX = 16;
/**
 * How a call failed. Its kind decides what Weir does next, so choose it by name and throw it:
 *
 * ```ts
 * throw Fault.rateLimited(30_000);
 * throw Fault.invalidInput("the lead cannot be filed").field("/email", "is missing");
 * throw Fault.notFound("the contact was deleted").withCode("contact-deleted");
 * ```
 *
 * Any other exception becomes an `internal` fault with its message, its line and its traceback.
 */
export class Fault extends Error {
    name = "Fault";
    /** Decides what Weir does. */
    kind;
    /** A stable word for machines. */
    code;
    /** How long the destination asked to wait, in milliseconds. */
    retryAfterMs;
    /** The fields at fault. */
    fields = [];
    /** Anything else worth knowing. Never anything secret. */
    details = [];
    constructor(kind, code, message, options) {
        super(message, options);
        this.kind = kind;
        this.code = code;
    }
    /** The data cannot be processed; somebody has to mend it. Name the fields with {@link Fault.field}. */
    static invalidInput(message) {
        return new Fault("invalid-input", "invalid-input", message);
    }
    /** The destination does not accept the credential. */
    static unauthorized(message) {
        return new Fault("unauthorized", "unauthorized", message);
    }
    /** The credential is accepted and not sufficient. */
    static forbidden(message) {
        return new Fault("forbidden", "forbidden", message);
    }
    /** What the call is about does not exist. */
    static notFound(message) {
        return new Fault("not-found", "not-found", message);
    }
    /** The state of the destination contradicts the call. */
    static conflict(message) {
        return new Fault("conflict", "conflict", message);
    }
    /** Too many calls; the destination asks to wait so many milliseconds. */
    static rateLimited(afterMs, message = "too many calls") {
        return new Fault("rate-limited", "rate-limited", message).retryAfter(afterMs);
    }
    /** The destination cannot be reached or cannot answer now, and the call had no effect. */
    static unavailable(message) {
        return new Fault("unavailable", "unavailable", message);
    }
    /** No answer in time, and the call had no effect or may be repeated. */
    static timeout(message) {
        return new Fault("timeout", "timeout", message);
    }
    /** The destination understood the call and declined it. */
    static rejected(message) {
        return new Fault("rejected", "rejected", message);
    }
    /** The call may or may not have had its effect. */
    static unknownOutcome(message) {
        return new Fault("unknown-outcome", "unknown-outcome", message);
    }
    /** A case that cannot be: a fault in the plugin. */
    static internal(message) {
        return new Fault("internal", "internal", message);
    }
    /** The same with another code. */
    withCode(code) {
        this.code = code;
        return this;
    }
    /** The same with another message. */
    withMessage(message) {
        this.message = message;
        return this;
    }
    /** The same with one more field at fault; the pointer is a JSON Pointer (RFC 6901) into the input. */
    field(pointer, message) {
        this.fields.push({ pointer, message });
        return this;
    }
    /** The same with one more detail. */
    detail(name, value) {
        this.details.push([name, value]);
        return this;
    }
    /** The same with the time to wait, in milliseconds. */
    retryAfter(afterMs) {
        this.retryAfterMs = afterMs;
        return this;
    }
}
/** The fault that an exception means: itself, what it says, or `internal` with the line that it came from. */
export function faultOf(thrown, locate = (frame) => frame) {
    if (thrown instanceof Fault)
        return thrown;
    if (thrown instanceof Error && "toFault" in thrown)
        return thrown.toFault();
    if (!(thrown instanceof Error))
        return Fault.internal(`something that is no Error was thrown: ${shown(thrown)}`);
    const fault = Fault.internal(thrown.message === "" ? thrown.name : `${thrown.name}: ${thrown.message}`);
    const frames = framesOf(thrown, locate);
    if (frames[0] !== undefined)
        fault.detail("at", frames[0].replace(/^.*\((.*)\)$/, "$1"));
    for (let cause = thrown.cause; cause instanceof Error; cause = cause.cause) {
        fault.detail("cause", `${cause.name}: ${cause.message}`);
    }
    if (frames.length > 0)
        fault.detail("traceback", frames.join("\n"));
    return fault;
}
/** Whatever was thrown, in a few words; even a thing that cannot be shown must not hide the fault. */
function shown(thrown) {
    try {
        return String(thrown);
    }
    catch {
        return typeof thrown;
    }
}
function framesOf(error, locate) {
    const frames = [];
    for (const line of (error.stack ?? "").split("\n")) {
        // `at name (file:1:2)` in most engines, `name@file:1:2` in StarlingMonkey.
        const [, usual, name = "", place] = line.match(/^\s*at (.*)$|^(.*)@(.*:\d+:\d+)$/) ?? [];
        const frame = usual ?? (place && `${name} (${place})`);
        const located = frame && locate(frame);
        if (located)
            frames.push(located);
    }
    return frames.slice(0, FRAMES_MAX);
}
/** What crosses the boundary. */
export function wireFault(fault) {
    return {
        kind: fault.kind,
        code: wellFormed(fault.code),
        message: wellFormed(fault.message),
        retryAfterMs: fault.retryAfterMs === undefined ? null : toMillis(fault.retryAfterMs),
        fields: fault.fields.map(({ pointer, message }) => ({
            pointer: wellFormed(pointer),
            message: wellFormed(message),
        })),
        details: fault.details.map(([name, value]) => [wellFormed(name), wellFormed(value)]),
    };
}
/** As the contract counts: whole milliseconds, and longer times become the longest. */
export function toMillis(millis) {
    return Math.min(Math.max(Math.ceil(millis) || 0, 0), MILLIS_MAX);
}
