import { type Http } from "./http.js";
/** Stands for the connection's base URL, for packages that insist on an absolute one. */
export declare const BASE_URL = "https://connection.invalid";
/** As much of the classes of `fetch` as is used here: which ones there are is the platform's matter. */
export interface FetchRequest {
    readonly method: string;
    readonly url: string;
    readonly headers: Iterable<[name: string, value: string]>;
    arrayBuffer(): Promise<ArrayBuffer>;
}
/** An answer of `fetch`. */
export interface FetchResponse {
    readonly ok: boolean;
    readonly status: number;
    readonly headers: Iterable<[name: string, value: string]>;
    text(): Promise<string>;
}
/** The function. */
export type Fetch = (input: unknown, init?: unknown) => Promise<FetchResponse>;
/** A `fetch` that sends by `http`; it rejects with an `HttpError`, which is the right fault if nobody catches it. */
export declare function fetchBy(http: Http): Fetch;
/**
 * The response of a `fetch` itself, if its status is 2xx.
 *
 * @throws {Fault} what the status means, as `Response.check`
 */
export declare function checkFetched<T extends FetchResponse>(response: T): T;
/** Makes `fetch` what it can be in this component; `http` is none where nothing may, or nothing can, be awaited. */
export declare function provideFetch(http: Http | undefined, isMapper: boolean): void;
