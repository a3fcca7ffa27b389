import { Fault, type Faulty } from "./fault.js";
import type { HttpFault, HttpFaultKind, HttpInterface, Request as WireRequest, Response as WireResponse } from "./generated/contract.js";
import { type Json } from "./json/index.js";
import type { Shape } from "./shape.js";
export type { HttpFaultKind };
/** Which credential is added: the connection's, none, or another of the connection's by its name. */
export type Auth = "default" | "anonymous" | {
    readonly named: string;
};
/** One request. */
export interface Request {
    /** In capitals; `GET` if it is left out. */
    readonly method?: string;
    /** Absolute, or a path under the connection's base URL. `{{slot}}` in it stands for a secret. */
    readonly url: string;
    /** Parameters of the query, percent-encoded; one that is `undefined` is left out. */
    readonly query?: Readonly<Record<string, string | number | bigint | boolean | undefined>>;
    /** Header fields. A `{{slot}}` in a value stands for a secret, so keep data of the event out. */
    readonly headers?: Readonly<Record<string, string>>;
    /** A body of JSON. A `{{` in the data is written so that it stands for itself and never for a secret. */
    readonly json?: unknown;
    /** Any other body; name its `Content-Type` in `headers`. A `{{slot}}` in it stands for a secret. */
    readonly body?: string | Uint8Array;
    /** The step's key, `call.context.idempotencyKey`, for destinations that honour `Idempotency-Key`. */
    readonly idempotencyKey?: string;
    /** The credential. */
    readonly auth?: Auth;
}
/** What a shortcut such as `http.get` takes beside the address. */
export type RequestOptions = Omit<Request, "method" | "url">;
/** The way out. Actions are given one; native tests make theirs from a script. */
export declare class Http {
    #private;
    constructor(host: HttpInterface);
    /**
     * Sends a request and waits for the whole answer, whatever its status.
     *
     * @throws {HttpError} if there is no answer
     */
    send(request: Request): Response;
    /** Sends requests side by side. The answers stand in the order of the requests. */
    sendAll(requests: readonly Request[]): (Response | HttpError)[];
    /** Sends a GET. */
    get(url: string, options?: RequestOptions): Response;
    /** Sends a POST. */
    post(url: string, options?: RequestOptions): Response;
    /** Sends a PUT. */
    put(url: string, options?: RequestOptions): Response;
    /** Sends a PATCH. */
    patch(url: string, options?: RequestOptions): Response;
    /** Sends a DELETE. */
    delete(url: string, options?: RequestOptions): Response;
}
/** An answer. */
export declare class Response {
    #private;
    /** The status. */
    readonly status: number;
    /** Where it came from. */
    readonly url: string;
    /** The header fields, names in lower case. */
    readonly headers: readonly (readonly [name: string, value: string])[];
    /** The body, decompressed. */
    readonly body: Uint8Array;
    constructor(wire: WireResponse, isRepeatable: boolean);
    /** Whether the status is 2xx. */
    get ok(): boolean;
    /** The first header field of that name. */
    header(name: string): string | undefined;
    /**
     * Itself, if the status is 2xx.
     *
     * @throws {Fault} what the status means, as the table in the README says
     */
    check(): this;
    /** The fault that the status means, for those who read the body first. */
    toFault(): Fault;
    /** `Retry-After` in milliseconds. A date counts from the answer's own `Date`, for a plugin has no clock. */
    retryAfterMs(): number | undefined;
    /** The body as text; bytes that are no UTF-8 are replaced. */
    text(): string;
    /**
     * The body as JSON, without any loss, read by a shape if one is given.
     *
     * @throws {Fault} `internal` if it is something else; after a POST or PATCH that succeeded `unknown-outcome`, because the
     * effect is there and only its description was lost
     */
    json(): Json;
    json<T>(shape: Shape<T>): T;
}
/** A request without an answer. If it is not caught, it becomes the fault that the table in the README says. */
export declare class HttpError extends Error implements Faulty {
    #private;
    name: string;
    /** Why there is no answer. */
    readonly kind: HttpFaultKind;
    /** A stable word for machines. */
    readonly code: string;
    /** Whether any byte of the request may have reached the destination. */
    readonly requestSent: boolean;
    constructor(fault: HttpFault, isRepeatable: boolean);
    toFault(): Fault;
}
/** A text as one segment of a path or one part of a query, percent-encoded: `/contacts/${encode(id)}`. */
export declare function encode(text: string): string;
/** What crosses the boundary. */
export declare function wireRequest(request: Request): WireRequest;
