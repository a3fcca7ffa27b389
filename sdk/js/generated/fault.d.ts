import type { FaultKind, FieldFault, Fault as WireFault } from "./generated/contract.js";
export type { FaultKind, FieldFault };
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
export declare class Fault extends Error {
    name: string;
    /** Decides what Weir does. */
    readonly kind: FaultKind;
    /** A stable word for machines. */
    code: string;
    /** How long the destination asked to wait, in milliseconds. */
    retryAfterMs: number | undefined;
    /** The fields at fault. */
    readonly fields: FieldFault[];
    /** Anything else worth knowing. Never anything secret. */
    readonly details: [name: string, value: string][];
    constructor(kind: FaultKind, code: string, message: string, options?: {
        cause?: unknown;
    });
    /** The data cannot be processed; somebody has to mend it. Name the fields with {@link Fault.field}. */
    static invalidInput(message: string): Fault;
    /** The destination does not accept the credential. */
    static unauthorized(message: string): Fault;
    /** The credential is accepted and not sufficient. */
    static forbidden(message: string): Fault;
    /** What the call is about does not exist. */
    static notFound(message: string): Fault;
    /** The state of the destination contradicts the call. */
    static conflict(message: string): Fault;
    /** Too many calls; the destination asks to wait so many milliseconds. */
    static rateLimited(afterMs: number, message?: string): Fault;
    /** The destination cannot be reached or cannot answer now, and the call had no effect. */
    static unavailable(message: string): Fault;
    /** No answer in time, and the call had no effect or may be repeated. */
    static timeout(message: string): Fault;
    /** The destination understood the call and declined it. */
    static rejected(message: string): Fault;
    /** The call may or may not have had its effect. */
    static unknownOutcome(message: string): Fault;
    /** A case that cannot be: a fault in the plugin. */
    static internal(message: string): Fault;
    /** The same with another code. */
    withCode(code: string): this;
    /** The same with another message. */
    withMessage(message: string): this;
    /** The same with one more field at fault; the pointer is a JSON Pointer (RFC 6901) into the input. */
    field(pointer: string, message: string): this;
    /** The same with one more detail. */
    detail(name: string, value: string): this;
    /** The same with the time to wait, in milliseconds. */
    retryAfter(afterMs: number): this;
}
/** An exception that knows which fault it means. */
export interface Faulty {
    toFault(): Fault;
}
/** Where a line of a stack lies in the author's files; none if it lies in none of them. */
export type Locate = (frame: string) => string | undefined;
/** The fault that an exception means: itself, what it says, or `internal` with the line that it came from. */
export declare function faultOf(thrown: unknown, locate?: Locate): Fault;
/** What crosses the boundary. */
export declare function wireFault(fault: Fault): WireFault;
/** As the contract counts: whole milliseconds, and longer times become the longest. */
export declare function toMillis(millis: number): number;
