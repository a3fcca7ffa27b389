// Tests that run natively, without WebAssembly and without a network: the plugin's functions as Weir would call them, and a
// script of the requests that they may make.

import type { Connector, ConnectorRoles } from "./connector.js";
import { Document, documentOf, ownDocument } from "./document.js";
import { Fault, type FaultKind, faultOf } from "./fault.js";
import { type Fetch, fetchBy } from "./fetch.js";
import type {
  Call,
  Context,
  HttpFaultKind,
  HttpInterface,
  Identity,
  Origin,
  Receipt,
  Result,
  Settlement,
  Request as WireRequest,
  Response as WireResponse,
} from "./generated/contract.js";
import { Http, HttpError, type Request, wireRequest } from "./http.js";
import { type Json, parse, stringify } from "./json/index.js";
import type { Mapper } from "./mapper.js";
import { type Later, refusePromise } from "./synchronous.js";
import { decodeLoosely, encodeUtf8 } from "./utf8.js";

type Answer = Result<WireResponse, { kind: HttpFaultKind; code: string; message: string; requestSent: boolean }>;

/** A scripted answer. */
export class Reply {
  readonly answer: Answer;

  private constructor(answer: Answer) {
    this.answer = answer;
  }

  /** An answer with this status, these header fields and this body. */
  static status(status: number, headers: Record<string, string> = {}, body: string | Uint8Array = ""): Reply {
    const fields = Object.entries(headers).map(([name, value]): [string, string] => [name.toLowerCase(), value]);
    const bytes = typeof body === "string" ? encodeUtf8(body) : body;
    return new Reply({ tag: "ok", val: { status, url: "", headers: fields, body: bytes } });
  }

  /** An answer of JSON. */
  static json(status: number, value: unknown, headers: Record<string, string> = {}): Reply {
    return Reply.status(status, { "content-type": "application/json", ...headers }, stringify(value));
  }

  /** No answer. */
  static fault(kind: HttpFaultKind, requestSent: boolean): Reply {
    return new Reply({ tag: "err", val: { kind, code: "scripted", message: `scripted: ${kind}`, requestSent } });
  }
}

/** What a test expects and did not get, or did not expect and got. */
export class ScriptError extends Error {
  override name = "ScriptError";
}

/** The requests that a test expects, in their order, each with its answer. */
export class Script {
  readonly #exchanges: { expected: WireRequest; reply: Reply }[] = [];

  /**
   * The same with one more expected request. Its method, URL, credential and body must be the same, JSON by value; of the
   * header fields those that are written here must be there.
   */
  on(request: Request, reply: Reply): this {
    this.#exchanges.push({ expected: wireRequest(request), reply });
    return this;
  }

  /** The way out that follows the script. */
  get http(): HttpInterface {
    return {
      send: (request) => {
        const answer = this.#answer(request);
        if (answer.tag === "err") throw answer.val;
        return answer.val;
      },
      sendAll: (requests) => requests.map((request) => this.#answer(request)),
    };
  }

  /** Fails if a request was expected and not made. */
  done(): void {
    const missing = this.#exchanges.map(({ expected }) => `${expected.method} ${expected.url}`);
    if (missing.length > 0) throw new ScriptError(`expected and not made: ${missing.join(", ")}`);
  }

  #answer(request: WireRequest): Answer {
    const next = this.#exchanges.shift();
    const sent = `${request.method} ${request.url}`;
    if (!next) throw new ScriptError(`unexpected request: ${sent} ${decodeLoosely(request.body)}`);
    const { expected, reply } = next;
    compare("request", sent, `${expected.method} ${expected.url}`);
    compare(`credential of ${sent}`, stringify(request.auth), stringify(expected.auth));
    for (const [name, value] of expected.headers) {
      const found = request.headers.find(([field]) => field.toLowerCase() === name.toLowerCase());
      compare(`header field ${name} of ${sent}`, found?.[1], value);
    }
    compare(`body of ${sent}`, comparable(request.body), comparable(expected.body));
    return reply.answer.tag === "ok" ? { tag: "ok", val: { ...reply.answer.val, url: request.url } } : reply.answer;
  }
}

function compare(what: string, found: string | undefined, expected: string): void {
  if (found !== expected) throw new ScriptError(`${what}: expected ${expected}, found ${found ?? "none"}`);
}

/** A body as text that is the same for the same JSON. */
function comparable(body: Uint8Array): string {
  const text = decodeLoosely(body);
  try {
    return stringify(sorted(parse(text)));
  } catch {
    return text;
  }
}

function sorted(value: Json): Json {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null || value.constructor !== Object) return value;
  const entries = Object.entries(value).map(([key, item]): [string, Json] => [key, sorted(item)]);
  return Object.fromEntries(entries.sort(([one], [other]) => (one < other ? -1 : 1)));
}

/** Where an event may have come from. */
export function origin(more: Partial<Origin> = {}): Origin {
  const nothing = { subject: null, time: null, schema: null, extensions: [], transport: [] };
  const received = "2026-11-23T00:00:00.000Z";
  return { id: "1", source: "/test", kind: "test", received, ...nothing, ...more };
}

/** The circumstances of a first attempt, with key `key-1`. */
export function context(more: Partial<Context> = {}): Context {
  const step = { execution: "exe_00000000000000000000000000-0", step: "step", idempotencyKey: "key-1", attempt: 1 };
  return { ...step, remainingMs: 30_000, connection: "test", account: null, settings: "{}", extra: [], ...more };
}

/** What a test may say beside the input of a mapper. */
export interface TransformOptions {
  /** What the flow says in this step. */
  options?: unknown;
  origin?: Partial<Origin>;
}

/**
 * Maps a document, or a value as JSON, and gives the documents that come out.
 *
 * @throws {Fault} as the mapper does; any other exception as it was thrown
 */
export function transform(plugin: Mapper, input: unknown, more: TransformOptions = {}): Document[] {
  const options = stringify(more.options ?? {});
  const documents = faults(() => plugin.mapper.transform(origin(more.origin), documentOf(input), options));
  return documents.map(ownDocument);
}

/** As {@link transform}, with what comes out read as JSON. */
export function transformJson(plugin: Mapper, input: unknown, more: TransformOptions = {}): Json[] {
  return transform(plugin, input, more).map((document) => document.json());
}

/** What a test may say beside the input of an action. */
export interface CallOptions {
  /** The requests that it may make; without a script, none. */
  script?: Script;
  cursor?: string;
  context?: Partial<Context>;
}

/** A receipt, with its output read as JSON. */
export type TestReceipt = Omit<Receipt, "output"> & { output: Json; document: Document };

/** What became of an attempt, with the output read as JSON. */
export type TestSettlement = Exclude<Settlement, { tag: "happened" }> | { tag: "happened"; val: TestReceipt };

/**
 * Carries an action out against a script.
 *
 * @throws {Fault} as the action does; any other exception as it was thrown
 */
export function invoke(plugin: Connector, action: string, input: unknown, more: CallOptions = {}): TestReceipt {
  return ownReceipt(run(plugin, more, (roles) => roles.actions.invoke(callOf(action, input, more))));
}

/** Settles a call against a script, as {@link invoke}. */
export function verify(plugin: Connector, action: string, input: unknown, more: CallOptions = {}): TestSettlement {
  const settlement = run(plugin, more, (roles) => role(roles, "verification").verify(callOf(action, input, more)));
  return ownSettlement(settlement);
}

/** Tests a connection against a script, as {@link invoke}. */
export function check(plugin: Connector, more: CallOptions = {}): Identity {
  return run(plugin, more, (roles) => role(roles, "connection").check(context(more.context)));
}

/**
 * The same for functions that return promises, as `await awaiting.invoke(…)`: for plugins that are built with StarlingMonkey.
 * `fetch` sends by the script meanwhile, so run one after the other.
 */
export const awaiting = {
  /** As {@link invoke}. */
  async invoke(plugin: Connector, action: string, input: unknown, more: CallOptions = {}): Promise<TestReceipt> {
    return ownReceipt(await wait(plugin, more, (roles) => roles.actions.invoke(callOf(action, input, more))));
  },
  /** As {@link verify}. */
  async verify(plugin: Connector, action: string, input: unknown, more: CallOptions = {}): Promise<TestSettlement> {
    const settle = (roles: ConnectorRoles) => role(roles, "verification").verify(callOf(action, input, more));
    return ownSettlement(await wait(plugin, more, settle));
  },
  /** As {@link check}. */
  async check(plugin: Connector, more: CallOptions = {}): Promise<Identity> {
    return wait(plugin, more, (roles) => role(roles, "connection").check(context(more.context)));
  },
};

async function wait<T>(plugin: Connector, more: CallOptions, call: (roles: ConnectorRoles) => Later<T>): Promise<T> {
  const script = more.script ?? new Script();
  const platform = globalThis as { fetch?: Fetch | undefined };
  const before = platform.fetch;
  platform.fetch = fetchBy(new Http(script.http));
  try {
    const given = await call(plugin.connector(script.http));
    script.done();
    return given;
  } catch (thrown) {
    throw meant(thrown);
  } finally {
    platform.fetch = before;
  }
}

function role<K extends keyof ConnectorRoles>(roles: ConnectorRoles, name: K): NonNullable<ConnectorRoles[K]> {
  const found = roles[name];
  if (!found) throw new TypeError(`the plugin has no role \`${name}\``);
  return found;
}

function run<T>(plugin: Connector, more: CallOptions, call: (roles: ConnectorRoles) => Later<T>): T {
  const script = more.script ?? new Script();
  const given = faults(() => refusePromise(call(plugin.connector(script.http))));
  script.done();
  return given;
}

function callOf(action: string, input: unknown, more: CallOptions): Call {
  return { action, input: documentOf(input), cursor: more.cursor ?? null, context: context(more.context) };
}

function ownReceipt(receipt: Receipt): TestReceipt {
  const document = ownDocument(receipt.output);
  return { ...receipt, document, output: document.isJson() ? document.json() : null };
}

function ownSettlement(settlement: Settlement): TestSettlement {
  return settlement.tag === "happened" ? { tag: "happened", val: ownReceipt(settlement.val) } : settlement;
}

function faults<T>(call: () => T): T {
  try {
    return call();
  } catch (thrown) {
    throw meant(thrown);
  }
}

/** The fault that the plugin meant; anything else is a fault of the test or the plugin, and stays what it is. */
function meant(thrown: unknown): unknown {
  return thrown instanceof HttpError ? faultOf(thrown) : thrown;
}

export { Document, Fault, type FaultKind };
