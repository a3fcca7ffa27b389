// Tests that run natively, without WebAssembly and without a network: the plugin's functions as Weir would call them, and a
// script of the requests that they may make.
import { Document, documentOf, ownDocument } from "./document.js";
import { Fault, faultOf } from "./fault.js";
import { fetchBy } from "./fetch.js";
import { Http, HttpError, wireRequest } from "./http.js";
import { parse, stringify } from "./json/index.js";
import { refusePromise } from "./synchronous.js";
import { decodeLoosely, encodeUtf8 } from "./utf8.js";
/** A scripted answer. */
export class Reply {
    answer;
    constructor(answer) {
        this.answer = answer;
    }
    /** An answer with this status, these header fields and this body. */
    static status(status, headers = {}, body = "") {
        const fields = Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]);
        const bytes = typeof body === "string" ? encodeUtf8(body) : body;
        return new Reply({ tag: "ok", val: { status, url: "", headers: fields, body: bytes } });
    }
    /** An answer of JSON. */
    static json(status, value, headers = {}) {
        return Reply.status(status, { "content-type": "application/json", ...headers }, stringify(value));
    }
    /** No answer. */
    static fault(kind, requestSent) {
        return new Reply({ tag: "err", val: { kind, code: "scripted", message: `scripted: ${kind}`, requestSent } });
    }
}
/** What a test expects and did not get, or did not expect and got. */
export class ScriptError extends Error {
    name = "ScriptError";
}
/** The requests that a test expects, in their order, each with its answer. */
export class Script {
    #exchanges = [];
    /**
     * The same with one more expected request. Its method, URL, credential and body must be the same, JSON by value; of the
     * header fields those that are written here must be there.
     */
    on(request, reply) {
        this.#exchanges.push({ expected: wireRequest(request), reply });
        return this;
    }
    /** The way out that follows the script. */
    get http() {
        return {
            send: (request) => {
                const answer = this.#answer(request);
                if (answer.tag === "err")
                    throw answer.val;
                return answer.val;
            },
            sendAll: (requests) => requests.map((request) => this.#answer(request)),
        };
    }
    /** Fails if a request was expected and not made. */
    done() {
        const missing = this.#exchanges.map(({ expected }) => `${expected.method} ${expected.url}`);
        if (missing.length > 0)
            throw new ScriptError(`expected and not made: ${missing.join(", ")}`);
    }
    #answer(request) {
        const next = this.#exchanges.shift();
        const sent = `${request.method} ${request.url}`;
        if (!next)
            throw new ScriptError(`unexpected request: ${sent} ${decodeLoosely(request.body)}`);
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
function compare(what, found, expected) {
    if (found !== expected)
        throw new ScriptError(`${what}: expected ${expected}, found ${found ?? "none"}`);
}
/** A body as text that is the same for the same JSON. */
function comparable(body) {
    const text = decodeLoosely(body);
    try {
        return stringify(sorted(parse(text)));
    }
    catch {
        return text;
    }
}
function sorted(value) {
    if (Array.isArray(value))
        return value.map(sorted);
    if (typeof value !== "object" || value === null || value.constructor !== Object)
        return value;
    const entries = Object.entries(value).map(([key, item]) => [key, sorted(item)]);
    return Object.fromEntries(entries.sort(([one], [other]) => (one < other ? -1 : 1)));
}
/** Where an event may have come from. */
export function origin(more = {}) {
    const nothing = { subject: null, time: null, schema: null, extensions: [], transport: [] };
    const received = "2026-11-23T00:00:00.000Z";
    return { id: "1", source: "/test", kind: "test", received, ...nothing, ...more };
}
/** The circumstances of a first attempt, with key `key-1`. */
export function context(more = {}) {
    const step = { execution: "exe_00000000000000000000000000-0", step: "step", idempotencyKey: "key-1", attempt: 1 };
    return { ...step, remainingMs: 30_000, connection: "test", account: null, settings: "{}", extra: [], ...more };
}
/**
 * Maps a document, or a value as JSON, and gives the documents that come out.
 *
 * @throws {Fault} as the mapper does; any other exception as it was thrown
 */
export function transform(plugin, input, more = {}) {
    const options = stringify(more.options ?? {});
    const documents = faults(() => plugin.mapper.transform(origin(more.origin), documentOf(input), options));
    return documents.map(ownDocument);
}
/** As {@link transform}, with what comes out read as JSON. */
export function transformJson(plugin, input, more = {}) {
    return transform(plugin, input, more).map((document) => document.json());
}
/**
 * Carries an action out against a script.
 *
 * @throws {Fault} as the action does; any other exception as it was thrown
 */
export function invoke(plugin, action, input, more = {}) {
    return ownReceipt(run(plugin, more, (roles) => roles.actions.invoke(callOf(action, input, more))));
}
/** Settles a call against a script, as {@link invoke}. */
export function verify(plugin, action, input, more = {}) {
    const settlement = run(plugin, more, (roles) => role(roles, "verification").verify(callOf(action, input, more)));
    return ownSettlement(settlement);
}
/** Tests a connection against a script, as {@link invoke}. */
export function check(plugin, more = {}) {
    return run(plugin, more, (roles) => role(roles, "connection").check(context(more.context)));
}
/**
 * The same for functions that return promises, as `await awaiting.invoke(…)`: for plugins that are built with StarlingMonkey.
 * `fetch` sends by the script meanwhile, so run one after the other.
 */
export const awaiting = {
    /** As {@link invoke}. */
    async invoke(plugin, action, input, more = {}) {
        return ownReceipt(await wait(plugin, more, (roles) => roles.actions.invoke(callOf(action, input, more))));
    },
    /** As {@link verify}. */
    async verify(plugin, action, input, more = {}) {
        const settle = (roles) => role(roles, "verification").verify(callOf(action, input, more));
        return ownSettlement(await wait(plugin, more, settle));
    },
    /** As {@link check}. */
    async check(plugin, more = {}) {
        return wait(plugin, more, (roles) => role(roles, "connection").check(context(more.context)));
    },
};
async function wait(plugin, more, call) {
    const script = more.script ?? new Script();
    const platform = globalThis;
    const before = platform.fetch;
    platform.fetch = fetchBy(new Http(script.http));
    try {
        const given = await call(plugin.connector(script.http));
        script.done();
        return given;
    }
    catch (thrown) {
        throw meant(thrown);
    }
    finally {
        platform.fetch = before;
    }
}
function role(roles, name) {
    const found = roles[name];
    if (!found)
        throw new TypeError(`the plugin has no role \`${name}\``);
    return found;
}
function run(plugin, more, call) {
    const script = more.script ?? new Script();
    const given = faults(() => refusePromise(call(plugin.connector(script.http))));
    script.done();
    return given;
}
function callOf(action, input, more) {
    return { action, input: documentOf(input), cursor: more.cursor ?? null, context: context(more.context) };
}
function ownReceipt(receipt) {
    const document = ownDocument(receipt.output);
    return { ...receipt, document, output: document.isJson() ? document.json() : null };
}
function ownSettlement(settlement) {
    return settlement.tag === "happened" ? { tag: "happened", val: ownReceipt(settlement.val) } : settlement;
}
function faults(call) {
    try {
        return call();
    }
    catch (thrown) {
        throw meant(thrown);
    }
}
/** The fault that the plugin meant; anything else is a fault of the test or the plugin, and stays what it is. */
function meant(thrown) {
    return thrown instanceof HttpError ? faultOf(thrown) : thrown;
}
export { Document, Fault };
