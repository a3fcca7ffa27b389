// `fetch` by Weir's gate, for packages that use it. StarlingMonkey has one of its own, which speaks `wasi:http` and passes the
// same gate; but there a failure has no kind, and whoever sent a POST cannot know whether it arrived. So the requests of
// `fetch` go out as those of `http` do, in the engine's own classes.
import { Response } from "./http.js";
import { wellFormed } from "./utf8.js";
/** Stands for the connection's base URL, for packages that insist on an absolute one. */
export const BASE_URL = "https://connection.invalid";
/** Statuses whose answers have no body, and whose `Response` takes none. */
const BODILESS = [101, 103, 204, 205, 304];
const platform = globalThis;
/** What came by the gate, for {@link checkFetched}. */
const known = new WeakMap();
/** A `fetch` that sends by `http`; it rejects with an `HttpError`, which is the right fault if nobody catches it. */
export function fetchBy(http) {
    return async (input, init) => {
        // The address of the connection is not the plugin's to know.
        const isPath = typeof input === "string" && input.startsWith("/");
        const request = new platform.Request(isPath ? `${BASE_URL}${input}` : input, init);
        const headers = Object.fromEntries(request.headers);
        delete headers["content-length"];
        // Another host may begin with the same letters.
        const url = request.url.startsWith(`${BASE_URL}/`) ? request.url.slice(BASE_URL.length) : request.url;
        const body = new Uint8Array(await request.arrayBuffer());
        const answer = http.send({ method: request.method, url, headers, body });
        return respond(answer);
    };
}
function respond(answer) {
    const { status } = answer;
    const headers = answer.headers.map(([name, value]) => [name, value]);
    const response = new platform.Response(BODILESS.includes(status) ? null : answer.body, { status, headers });
    const json = async () => {
        const text = await response.text();
        try {
            return JSON.parse(text);
        }
        catch {
            // Says by its kind whether the effect may be there.
            return answer.json();
        }
    };
    Object.defineProperties(response, { url: { value: answer.url }, json: { value: json } });
    known.set(response, answer);
    return response;
}
/**
 * The response of a `fetch` itself, if its status is 2xx.
 *
 * @throws {Fault} what the status means, as `Response.check`
 */
export function checkFetched(response) {
    if (response.ok)
        return response;
    throw (known.get(response) ?? bare(response)).toFault();
}
/** A response that a package has made of another: its status says enough, and its body is not there yet. */
function bare({ status, headers }) {
    return new Response({ status, url: "", headers: [...headers], body: new Uint8Array() }, true);
}
/** Makes `fetch` what it can be in this component; `http` is none where nothing may, or nothing can, be awaited. */
export function provideFetch(http, isMapper) {
    platform.fetch = http ? fetchBy(http) : isMapper ? refuseInMapper : refuseInQuickJs;
}
function refuseInMapper(input) {
    throw new TypeError(`\`fetch\` of ${shown(input)}: a mapper is pure and sends no requests; an action of a connector does`);
}
function refuseInQuickJs(input) {
    const cure = "send it by `http`, the second argument of an action, as `http.get(url)`, or build with StarlingMonkey";
    throw new TypeError(`\`fetch\` of ${shown(input)}: QuickJS has nothing that waits for a promise; ${cure}`);
}
function shown(input) {
    return typeof input === "string" ? wellFormed(input) : "a request";
}
