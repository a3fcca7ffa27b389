/** The result of one of several: a value or a failure. */
export type Result<T, E> = {
    tag: "ok";
    val: T;
} | {
    tag: "err";
    val: E;
};
/** Bytes with a media type: a payload, the input of a step, its output. */
export interface Document {
    /** The media type (RFC 9110, section 8.3.1), such as `application/json`. */
    contentType: string;
    /** The bytes, as they came or as they are to go out. Weir does not change them. */
    data: Uint8Array;
    /** What the format cannot say: file names, row numbers, header fields. */
    metadata: [string, string][];
}
/** Where an event came from: the context attributes of CloudEvents 1.0, and what the transport said. */
export interface Origin {
    /** `id`: unique at the source. Weir's own id of the event where the sender gave none. */
    id: string;
    /** `source`: a URI reference. The path of the webhook where the sender gave none. */
    source: string;
    /** `type`: what happened, such as `pull_request` or `com.example.order.created`. */
    kind: string;
    /** `subject`: what it happened to. */
    subject: string | null;
    /** `time`: when it happened, as the sender wrote it. */
    time: string | null;
    /** When Weir had received the whole event. The only clock that a mapper has. */
    received: string;
    /** `dataschema`: a URI. */
    schema: string | null;
    /** Extension attributes. */
    extensions: [string, string][];
    /**
     * What the transport said: `method`, `path`, `query`, each header field as `header.NAME` in lower case. Header
     * fields that authenticate the sender are left out.
     */
    transport: [string, string][];
}
/** What went wrong, as far as Weir must tell cases apart. Weir, not the plugin, decides what follows. */
export type FaultKind = 
/** The data cannot be processed; somebody has to mend it. The execution is parked. */
"invalid-input"
/** The destination does not accept the credential. It is refreshed once if that can help, then the execution is parked. */
 | "unauthorized"
/** The credential is accepted and not sufficient. The flow's error route, else a dead letter. */
 | "forbidden"
/** What the call is about does not exist. The flow's error route, else a dead letter. */
 | "not-found"
/** The state of the destination contradicts the call. The flow's error route, else a dead letter. */
 | "conflict"
/** Too many calls. Tried again, not before `retry-after-ms`. */
 | "rate-limited"
/** The destination cannot be reached or cannot answer now, and the call had no effect. Tried again. */
 | "unavailable"
/** No answer in time, and the call had no effect or may be repeated. Tried again. */
 | "timeout"
/** The destination understood the call and declined it. The flow's error route, else a dead letter. */
 | "rejected"
/**
 * The call may or may not have had its effect. Settled by `verify`; without it, repeated with the same key where the
 * action's effect allows, else parked. Weir says so itself if a request was under way when the call ended badly.
 */
 | "unknown-outcome"
/** A fault in the plugin: an exception, a case that cannot be. Tried a few times, then parked. */
 | "internal";
/** One field at fault. */
export interface FieldFault {
    /** A JSON Pointer (RFC 6901) into the input, such as `/contact/email`. */
    pointer: string;
    /** What is wrong with it, in a sentence. */
    message: string;
}
/** How a call failed. */
export interface Fault {
    /** Decides what Weir does. */
    kind: FaultKind;
    /** A stable word for machines, such as `duplicate-email`. Codes that begin with `weir.` are Weir's own. */
    code: string;
    /** What happened, in a sentence for people. Without anything secret. */
    message: string;
    /** How long the destination asked to wait. */
    retryAfterMs: number | null;
    /** With `invalid-input`: the fields at fault. */
    fields: FieldFault[];
    /** Anything else worth knowing, such as the source line (`at`), a traceback, the destination's request id. */
    details: [string, string][];
}
/** The circumstances of a connector's call. */
export interface Context {
    /** The execution. */
    execution: string;
    /** The step of the flow. */
    step: string;
    /** The same for every attempt of the step. Send it along where the destination honours such a key. */
    idempotencyKey: string;
    /** Counts from 1. */
    attempt: number;
    /** How long the call may still take. Whatever runs longer is ended. */
    remainingMs: number;
    /** The name of the connection; empty if the step has none. */
    connection: string;
    /** Whose account the connection is, as `connection.check` said. */
    account: string | null;
    /** The connection's settings, such as tenant and region: a JSON object. Never anything secret. */
    settings: string;
    /** What later versions add. */
    extra: [string, string][];
}
/**
 * A role: turns one document into others. Excludes every other role.
 *
 * Pure: the same three arguments give the same answer on any machine, at any time.
 */
export interface MapperInterface {
    /**
     * Maps a document of the event that `origin` describes. `options` is what the flow says in this step: a JSON object.
     * No document: the event goes no further here. Several: each goes on by itself.
     *
     * @throws {Fault}
     */
    transform(origin: Origin, input: Document, options: string): Document[];
}
/** One call of an action. */
export interface Call {
    /** Which, by the name in the manifest. */
    action: string;
    /** The input of the step. */
    input: Document;
    /** For a listing action: where the page begins. None: with the first. */
    cursor: string | null;
    /** The circumstances. */
    context: Context;
}
/** What an action gave. */
export interface Receipt {
    /** Its output. */
    output: Document;
    /** The id that the destination gave to what was created or changed. */
    externalId: string | null;
    /** For a listing action: the cursor of the following page. None: this was the last. */
    next: string | null;
    /** Anything else worth keeping. */
    metadata: [string, string][];
}
/** A role: does things at a destination. */
export interface ActionsInterface {
    /**
     * Carries the action out. Under way at most once per attempt; an attempt whose answer was lost may be repeated.
     *
     * @throws {Fault}
     */
    invoke(call: Call): Receipt;
}
/** What became of the attempt. */
export type Settlement = 
/** It had its effect. The receipt is what `invoke` would have given. */
{
    tag: "happened";
    val: Receipt;
}
/** It had none, and may be repeated. */
 | {
    tag: "absent";
}
/** It cannot be said yet. Ask again, after so many milliseconds if a number is given. */
 | {
    tag: "undecided";
    val: number | null;
};
/** A role, beside `actions`: settles an attempt whose answer was lost. */
export interface VerificationInterface {
    /**
     * Finds out what became of the call, which is the same as the lost one. Changes nothing at the destination.
     *
     * @throws {Fault}
     */
    verify(call: Call): Settlement;
}
/** Whose connection it is. */
export interface Identity {
    /** For people, such as `Example Ltd. (sandbox)`. */
    label: string;
    /** The account at the destination; given to later calls as `context.account`. */
    account: string | null;
    /** The address that requests should go to, where only the destination knows it. */
    baseUrl: string | null;
    /** Settings to add to those of the connection: a JSON object. */
    settings: string;
}
/** A role, beside `actions`: tests a connection and says whose it is. */
export interface ConnectionInterface {
    /**
     * Makes a harmless request with the connection's credential.
     *
     * @throws {Fault}
     */
    check(context: Context): Identity;
}
/** Which credential is added. */
export type Auth = 
/** The connection's. */
{
    tag: "default";
}
/** Another of the connection's credentials, by its name. */
 | {
    tag: "named";
    val: string;
}
/** None: for addresses that carry their own permission, such as presigned ones. */
 | {
    tag: "anonymous";
};
/**
 * One request. `{{slot}}` in URL, header values or body is replaced by the credential of that name, after what was
 * written here has passed the gate.
 */
export interface Request {
    /** The method, in capitals. */
    method: string;
    /** Absolute, or a path that is appended to the connection's base URL. */
    url: string;
    /** The header fields. Those that frame the message or authenticate are the host's: setting one is denied. */
    headers: [string, string][];
    /** The body; empty for none. */
    body: Uint8Array;
    /** The credential. */
    auth: Auth;
}
/** One answer, after redirects. */
export interface Response {
    /** The status. */
    status: number;
    /** Where the answer came from, without anything secret. */
    url: string;
    /** The header fields, names in lower case. */
    headers: [string, string][];
    /** The body, decompressed. */
    body: Uint8Array;
}
/** Why there is no answer. */
export type HttpFaultKind = 
/** The gate refused the request; the message says how to allow it. */
"denied"
/** No connection could be made. */
 | "unreachable"
/** The destination's certificate cannot be trusted, or the handshake failed. */
 | "tls"
/** No complete answer in time. */
 | "timeout"
/** The request or the answer exceeds a limit. */
 | "too-large"
/** The connection broke, or the answer is no HTTP. */
 | "broken";
/** A request without an answer. */
export interface HttpFault {
    /** Why. */
    kind: HttpFaultKind;
    /** A stable word for machines. */
    code: string;
    /** What happened, in a sentence, with the cure where there is one. */
    message: string;
    /** Whether any byte of the request may have reached the destination. */
    requestSent: boolean;
}
/**
 * An import for connectors: requests over HTTP.
 *
 * Every request passes the gate, which lets through what both the manifest asks for and the operator granted. The
 * credential is added by the host when the plugin has let go of the request; a plugin never holds one.
 */
export interface HttpInterface {
    /**
     * Sends one request and waits for the whole answer.
     *
     * @throws {HttpFault}
     */
    send(request: Request): Response;
    /** Sends requests side by side, within the plugin's limits. The answers stand in the order of the requests. */
    sendAll(requests: Request[]): Result<Response, HttpFault>[];
}
/** How much a line matters. */
export type Level = 
/** For the plugin's author. */
"debug"
/** For whoever looks at one execution. */
 | "info"
/** Something is off, and the call goes on. */
 | "warn"
/** Something failed. */
 | "error";
/** An import for every plugin: lines for whoever looks at the execution. */
export interface LogInterface {
    /**
     * Adds a line to the execution. Lines beyond the plugin's limit are counted and dropped. Never log personal data or
     * whole payloads.
     */
    write(level: Level, message: string, fields: [string, string][]): void;
}
