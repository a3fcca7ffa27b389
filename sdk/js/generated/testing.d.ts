import type { Connector } from "./connector.js";
import { Document } from "./document.js";
import { Fault, type FaultKind } from "./fault.js";
import type { Context, HttpFaultKind, HttpInterface, Identity, Origin, Receipt, Result, Settlement, Response as WireResponse } from "./generated/contract.js";
import { type Request } from "./http.js";
import { type Json } from "./json/index.js";
import type { Mapper } from "./mapper.js";
type Answer = Result<WireResponse, {
    kind: HttpFaultKind;
    code: string;
    message: string;
    requestSent: boolean;
}>;
/** A scripted answer. */
export declare class Reply {
    readonly answer: Answer;
    private constructor();
    /** An answer with this status, these header fields and this body. */
    static status(status: number, headers?: Record<string, string>, body?: string | Uint8Array): Reply;
    /** An answer of JSON. */
    static json(status: number, value: unknown, headers?: Record<string, string>): Reply;
    /** No answer. */
    static fault(kind: HttpFaultKind, requestSent: boolean): Reply;
}
/** What a test expects and did not get, or did not expect and got. */
export declare class ScriptError extends Error {
    name: string;
}
/** The requests that a test expects, in their order, each with its answer. */
export declare class Script {
    #private;
    /**
     * The same with one more expected request. Its method, URL, credential and body must be the same, JSON by value; of the
     * header fields those that are written here must be there.
     */
    on(request: Request, reply: Reply): this;
    /** The way out that follows the script. */
    get http(): HttpInterface;
    /** Fails if a request was expected and not made. */
    done(): void;
}
/** Where an event may have come from. */
export declare function origin(more?: Partial<Origin>): Origin;
/** The circumstances of a first attempt, with key `key-1`. */
export declare function context(more?: Partial<Context>): Context;
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
export declare function transform(plugin: Mapper, input: unknown, more?: TransformOptions): Document[];
/** As {@link transform}, with what comes out read as JSON. */
export declare function transformJson(plugin: Mapper, input: unknown, more?: TransformOptions): Json[];
/** What a test may say beside the input of an action. */
export interface CallOptions {
    /** The requests that it may make; without a script, none. */
    script?: Script;
    cursor?: string;
    context?: Partial<Context>;
}
/** A receipt, with its output read as JSON. */
export type TestReceipt = Omit<Receipt, "output"> & {
    output: Json;
    document: Document;
};
/** What became of an attempt, with the output read as JSON. */
export type TestSettlement = Exclude<Settlement, {
    tag: "happened";
}> | {
    tag: "happened";
    val: TestReceipt;
};
/**
 * Carries an action out against a script.
 *
 * @throws {Fault} as the action does; any other exception as it was thrown
 */
export declare function invoke(plugin: Connector, action: string, input: unknown, more?: CallOptions): TestReceipt;
/** Settles a call against a script, as {@link invoke}. */
export declare function verify(plugin: Connector, action: string, input: unknown, more?: CallOptions): TestSettlement;
/** Tests a connection against a script, as {@link invoke}. */
export declare function check(plugin: Connector, more?: CallOptions): Identity;
/**
 * The same for functions that return promises, as `await awaiting.invoke(…)`: for plugins that are built with StarlingMonkey.
 * `fetch` sends by the script meanwhile, so run one after the other.
 */
export declare const awaiting: {
    /** As {@link invoke}. */
    invoke(plugin: Connector, action: string, input: unknown, more?: CallOptions): Promise<TestReceipt>;
    /** As {@link verify}. */
    verify(plugin: Connector, action: string, input: unknown, more?: CallOptions): Promise<TestSettlement>;
    /** As {@link check}. */
    check(plugin: Connector, more?: CallOptions): Promise<Identity>;
};
export { Document, Fault, type FaultKind };
