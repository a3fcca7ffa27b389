// Requests to the outside. Each passes Weir's gate and gets its credential after the plugin has let go of it.
//
// Do not retry here: say by the fault what happened, and Weir repeats the step with backoff and the same key.

import { wirePairs } from "./document.js";
import { Fault, type FaultKind, type Faulty } from "./fault.js";
import type {
  HttpFault,
  HttpFaultKind,
  HttpInterface,
  Auth as WireAuth,
  Request as WireRequest,
  Response as WireResponse,
} from "./generated/contract.js";
import { type Json, parse, stringify } from "./json/index.js";
import { parseWhatIsRead } from "./json/parse.js";
import { retryAfterMs } from "./retry-after.js";
import type { Shape } from "./shape.js";
import { read } from "./shape.js";
import { decodeLoosely, decodeUtf8, encodeUtf8, wellFormed } from "./utf8.js";

export type { HttpFaultKind };

/** As much of an answer as goes into a fault, in bytes: enough for a message, too little to hold a document. */
const EXCERPT_BYTES_MAX = 512;

/** Methods of which RFC 9110, section 9.2.2, says that sending them again has no further effect. */
const REPEATABLE = ["GET", "HEAD", "OPTIONS", "PUT", "DELETE"];

/** Which credential is added: the connection's, none, or another of the connection's by its name. */
export type Auth = "default" | "anonymous" | { readonly named: string };

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
export class Http {
  readonly #host: HttpInterface;

  constructor(host: HttpInterface) {
    this.#host = host;
  }

  /**
   * Sends a request and waits for the whole answer, whatever its status.
   *
   * @throws {HttpError} if there is no answer
   */
  send(request: Request): Response {
    const wire = wireRequest(request);
    const isRepeatable = REPEATABLE.includes(wire.method);
    try {
      return new Response(this.#host.send(wire), isRepeatable);
    } catch (thrown) {
      const fault = httpFaultOf(thrown);
      throw fault ? new HttpError(fault, isRepeatable) : thrown;
    }
  }

  /** Sends requests side by side. The answers stand in the order of the requests. */
  sendAll(requests: readonly Request[]): (Response | HttpError)[] {
    const wire = requests.map(wireRequest);
    return this.#host.sendAll(wire).map((answer, index) => {
      const isRepeatable = REPEATABLE.includes(wire[index]?.method ?? "");
      return answer.tag === "ok" ? new Response(answer.val, isRepeatable) : new HttpError(answer.val, isRepeatable);
    });
  }

  /** Sends a GET. */
  get(url: string, options: RequestOptions = {}): Response {
    return this.send({ ...options, method: "GET", url });
  }

  /** Sends a POST. */
  post(url: string, options: RequestOptions = {}): Response {
    return this.send({ ...options, method: "POST", url });
  }

  /** Sends a PUT. */
  put(url: string, options: RequestOptions = {}): Response {
    return this.send({ ...options, method: "PUT", url });
  }

  /** Sends a PATCH. */
  patch(url: string, options: RequestOptions = {}): Response {
    return this.send({ ...options, method: "PATCH", url });
  }

  /** Sends a DELETE. */
  delete(url: string, options: RequestOptions = {}): Response {
    return this.send({ ...options, method: "DELETE", url });
  }
}

/** An answer. */
export class Response {
  /** The status. */
  readonly status: number;
  /** Where it came from. */
  readonly url: string;
  /** The header fields, names in lower case. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** The body, decompressed. */
  readonly body: Uint8Array;
  readonly #isRepeatable: boolean;

  constructor(wire: WireResponse, isRepeatable: boolean) {
    this.status = wire.status;
    this.url = wire.url;
    this.headers = wire.headers;
    this.body = wire.body;
    this.#isRepeatable = isRepeatable;
  }

  /** Whether the status is 2xx. */
  get ok(): boolean {
    return this.status >= 200 && this.status < 300;
  }

  /** The first header field of that name. */
  header(name: string): string | undefined {
    const wanted = name.toLowerCase();
    return this.headers.find(([field]) => field.toLowerCase() === wanted)?.[1];
  }

  /**
   * Itself, if the status is 2xx.
   *
   * @throws {Fault} what the status means, as the table in the README says
   */
  check(): this {
    if (this.ok) return this;
    throw this.toFault();
  }

  /** The fault that the status means, for those who read the body first. */
  toFault(): Fault {
    const kind = this.#faultKind();
    const fault = new Fault(kind, `http-${this.status}`, `the destination answered ${this.status}`);
    if (kind === "rate-limited" || kind === "unavailable") fault.retryAfterMs = this.retryAfterMs();
    const excerpt = decodeLoosely(this.body.subarray(0, EXCERPT_BYTES_MAX)).trim();
    return excerpt === "" ? fault : fault.detail("answer", excerpt);
  }

  #faultKind(): FaultKind {
    switch (this.status) {
      case 401:
        return "unauthorized";
      case 403:
        return "forbidden";
      case 404:
      case 410:
        return "not-found";
      case 408:
        return "timeout";
      case 409:
      case 412:
      case 423:
        return "conflict";
      case 413:
      case 422:
        return "invalid-input";
      case 425:
        return "unavailable";
      case 429:
        return "rate-limited";
      case 501:
      case 505:
        return "rejected";
      case 502:
      case 504:
        // The gateway cannot say what became of the request.
        return this.#isRepeatable ? "unavailable" : "unknown-outcome";
      default:
        return this.status >= 500 ? "unavailable" : "rejected";
    }
  }

  /** `Retry-After` in milliseconds. A date counts from the answer's own `Date`, for a plugin has no clock. */
  retryAfterMs(): number | undefined {
    return retryAfterMs(this.header("retry-after"), this.header("date"));
  }

  /** The body as text; bytes that are no UTF-8 are replaced. */
  text(): string {
    return decodeLoosely(this.body);
  }

  /**
   * The body as JSON, without any loss, read by a shape if one is given.
   *
   * @throws {Fault} `internal` if it is something else; after a POST or PATCH that succeeded `unknown-outcome`, because the
   * effect is there and only its description was lost
   */
  json(): Json;
  json<T>(shape: Shape<T>): T;
  json<T>(shape?: Shape<T>): T | Json {
    try {
      const text = decodeUtf8(this.body);
      return shape ? read(shape, parseWhatIsRead(text), "it does not fit") : parse(text);
    } catch (error) {
      const message = `the answer is not what was expected: ${error instanceof Error ? error.message : error}`;
      const isLost = this.ok && !this.#isRepeatable;
      const fault = isLost ? Fault.unknownOutcome(message) : Fault.internal(message);
      throw fault.withCode("unexpected-answer");
    }
  }
}

/** A request without an answer. If it is not caught, it becomes the fault that the table in the README says. */
export class HttpError extends Error implements Faulty {
  override name = "HttpError";
  /** Why there is no answer. */
  readonly kind: HttpFaultKind;
  /** A stable word for machines. */
  readonly code: string;
  /** Whether any byte of the request may have reached the destination. */
  readonly requestSent: boolean;
  readonly #isRepeatable: boolean;

  constructor(fault: HttpFault, isRepeatable: boolean) {
    super(fault.message);
    this.kind = fault.kind;
    this.code = fault.code;
    this.requestSent = fault.requestSent;
    this.#isRepeatable = isRepeatable;
  }

  toFault(): Fault {
    return new Fault(this.#faultKind(), this.code, this.message, { cause: this });
  }

  #faultKind(): FaultKind {
    if (this.requestSent && !this.#isRepeatable) return "unknown-outcome";
    switch (this.kind) {
      case "denied":
        return "forbidden";
      case "timeout":
        return "timeout";
      case "too-large":
        return "rejected";
      case "unreachable":
      case "tls":
      case "broken":
        return "unavailable";
    }
  }
}

/** A text as one segment of a path or one part of a query, percent-encoded: `/contacts/${encode(id)}`. */
export function encode(text: string): string {
  // `encodeURIComponent` leaves some signs that RFC 3986 reserves.
  const hex = (sign: string) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`;
  return encodeURIComponent(wellFormed(text)).replaceAll(/[!'()*]/g, hex);
}

/** What crosses the boundary. */
export function wireRequest(request: Request): WireRequest {
  const headers = Object.entries(request.headers ?? {});
  if (request.idempotencyKey !== undefined) headers.push(["Idempotency-Key", request.idempotencyKey]);
  let body = typeof request.body === "string" ? encodeUtf8(request.body) : (request.body ?? new Uint8Array());
  if (request.json !== undefined) {
    if (request.body !== undefined) throw new TypeError("a request has either `json` or `body`");
    if (!headers.some(([name]) => name.toLowerCase() === "content-type"))
      headers.push(["Content-Type", "application/json"]);
    // Two braces in a row occur within strings only, where a brace may be written by its number.
    body = encodeUtf8(stringify(request.json).replaceAll("{{", "{\\u007b"));
  }
  return {
    method: request.method ?? "GET",
    url: wellFormed(withQuery(request.url, request.query ?? {})),
    headers: wirePairs(headers),
    body,
    auth: wireAuth(request.auth ?? "default"),
  };
}

function withQuery(url: string, query: NonNullable<Request["query"]>): string {
  let whole = url;
  for (const [name, value] of Object.entries(query)) {
    if (value === undefined) continue;
    whole += `${whole.includes("?") ? "&" : "?"}${encode(name)}=${encode(String(value))}`;
  }
  return whole;
}

function wireAuth(auth: Auth): WireAuth {
  return typeof auth === "string" ? { tag: auth } : { tag: "named", val: auth.named };
}

/** What an import of the host throws: the failure itself, or something that carries it. */
function httpFaultOf(thrown: unknown): HttpFault | undefined {
  // No `instanceof Error`: StarlingMonkey makes its errors with an `Error` that is not the plugin's.
  const carried = isObject(thrown) && "payload" in thrown ? thrown.payload : thrown;
  return isObject(carried) && "requestSent" in carried ? (carried as HttpFault) : undefined;
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}
