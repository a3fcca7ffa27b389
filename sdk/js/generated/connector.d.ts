import { type Document } from "./document.js";
import type { HttpInterface, Call as WireCall, Context as WireContext, Identity as WireIdentity, Receipt as WireReceipt, Settlement as WireSettlement } from "./generated/contract.js";
import { Http } from "./http.js";
import type { Json } from "./json/index.js";
import { type Shape } from "./shape.js";
import { type Later } from "./synchronous.js";
/** The circumstances of a call. */
export interface Context extends Omit<WireContext, "settings"> {
    /** The connection's settings as they are written: a JSON object. */
    readonly settings: string;
    /**
     * The connection's settings, such as tenant and region.
     *
     * @throws {Fault} `invalid-input` if they do not fit
     */
    readSettings<T>(shape: Shape<T>): T;
}
/** One call of an action. */
export interface Call<I = unknown> {
    /** Which, by the name in the manifest. */
    readonly action: string;
    /** What to send, read as JSON by the shape that the action takes. */
    readonly input: I;
    /** The same as it came: for input that is no JSON. */
    readonly document: Document;
    /** For a listing action: where the page begins. None: with the first. */
    readonly cursor: string | undefined;
    /** The circumstances, with the idempotency key. */
    readonly context: Context;
}
/** What an action gave, where that is more than its output. */
export declare class Receipt {
    /** A document as it is, anything else as JSON. */
    readonly output: unknown;
    /** The id that the destination gave to what was created or changed. */
    readonly externalId: string | undefined;
    /** For a listing action: the cursor of the following page. None: this was the last. */
    readonly next: string | undefined;
    /** Anything else worth keeping. */
    readonly metadata: readonly (readonly [name: string, value: string])[];
    constructor(output: unknown, more?: ReceiptMore);
}
/** What a {@link Receipt} says beside its output. */
export interface ReceiptMore {
    externalId?: string | undefined;
    next?: string | undefined;
    metadata?: readonly (readonly [name: string, value: string])[];
}
/** What became of an attempt whose answer was lost. */
export declare const Settlement: {
    /** It had its effect; what the action would have given. */
    happened: (output: unknown) => Settlement;
    /** It had none, and may be repeated. */
    absent: () => Settlement;
    /** It cannot be said yet. Ask again, after so many milliseconds if a number is given. */
    undecided: (afterMs?: number) => Settlement;
};
/** What became of an attempt whose answer was lost. */
export type Settlement = {
    readonly tag: "happened";
    readonly output: unknown;
} | {
    readonly tag: "absent";
} | {
    readonly tag: "undecided";
    readonly afterMs: number | undefined;
};
/** Whose connection it is. */
export interface Identity {
    /** For people, such as `Example Ltd. (sandbox)`. */
    readonly label: string;
    /** The account at the destination; given to later calls as `context.account`. */
    readonly account?: string | undefined;
    /** The address that requests should go to, where only the destination knows it. */
    readonly baseUrl?: string | undefined;
    /** Settings to add to those of the connection. */
    readonly settings?: Readonly<Record<string, Json>>;
}
/**
 * Carries an action out. What it returns is the output, as JSON; a `Receipt` says more. A promise is awaited by
 * StarlingMonkey only; with QuickJS it is a fault.
 */
export type Act<I = unknown> = (call: Call<I>, http: Http) => unknown;
/** Finds out what became of a call whose answer was lost, and changes nothing. */
export type Verify<I = unknown> = (call: Call<I>, http: Http) => Later<Settlement>;
/** The functions of a connector. The names of the actions are those of the manifest. */
export interface ConnectorFunctions {
    readonly actions: Readonly<Record<string, Act>>;
    /** The role `verification`: how lost answers of which actions are settled. */
    readonly verify?: Readonly<Record<string, Verify>>;
    /** The role `connection`: makes a harmless request and says whose connection it is. */
    readonly check?: (context: Context, http: Http) => Later<Identity>;
}
/** What {@link connector} makes: its roles, once it is given the way out. */
export interface Connector {
    readonly connector: (http: HttpInterface) => ConnectorRoles;
}
/** The roles of a connector. */
export interface ConnectorRoles {
    actions: {
        invoke(call: WireCall): Later<WireReceipt>;
    };
    verification?: {
        verify(call: WireCall): Later<WireSettlement>;
    };
    connection?: {
        check(context: WireContext): Later<WireIdentity>;
    };
}
/**
 * A function with its input read by a shape before it is called: what does not fit is an `invalid-input` that names the
 * field.
 *
 * ```ts
 * const Contact = shape.object({ email: shape.text() });
 * const create = taking(Contact, (call, http) => http.post("/contacts", { json: call.input }).check().json());
 * ```
 */
export declare function taking<I, R>(shape: Shape<I>, act: (call: Call<I>, http: Http) => R): (call: Call<unknown>, http: Http) => R;
/**
 * Makes a connector of functions. It has the roles that are written: `verify` and `check` may be left out.
 *
 * ```ts
 * export default connector({
 *   actions: { "create-contact": taking(Contact, create) },
 *   verify: { "create-contact": taking(Contact, verifyCreate) },
 *   check: (context, http) => ({ label: http.get("/me").check().json(Me).name }),
 * });
 * ```
 */
export declare function connector(functions: ConnectorFunctions): Connector;
