import { documentOf, ownDocument, wireDocument, wirePairs } from "./document.js";
import { Fault, toMillis } from "./fault.js";
import { Http } from "./http.js";
import { stringify } from "./json/index.js";
import { parseWhatIsRead } from "./json/parse.js";
import { readInput } from "./mapper.js";
import { read } from "./shape.js";
import { after, refusePromise } from "./synchronous.js";
import { wellFormed } from "./utf8.js";
/** What an action gave, where that is more than its output. */
export class Receipt {
    /** A document as it is, anything else as JSON. */
    output;
    /** The id that the destination gave to what was created or changed. */
    externalId;
    /** For a listing action: the cursor of the following page. None: this was the last. */
    next;
    /** Anything else worth keeping. */
    metadata;
    constructor(output, more = {}) {
        this.output = output;
        this.externalId = more.externalId;
        this.next = more.next;
        this.metadata = more.metadata ?? [];
    }
}
/** What became of an attempt whose answer was lost. */
export const Settlement = {
    /** It had its effect; what the action would have given. */
    happened: (output) => ({ tag: "happened", output }),
    /** It had none, and may be repeated. */
    absent: () => ({ tag: "absent" }),
    /** It cannot be said yet. Ask again, after so many milliseconds if a number is given. */
    undecided: (afterMs) => ({ tag: "undecided", afterMs }),
};
/**
 * A function with its input read by a shape before it is called: what does not fit is an `invalid-input` that names the
 * field.
 *
 * ```ts
 * const Contact = shape.object({ email: shape.text() });
 * const create = taking(Contact, (call, http) => http.post("/contacts", { json: call.input }).check().json());
 * ```
 */
export function taking(shape, act) {
    return (call, http) => {
        const { action, document, cursor, context } = call;
        return act({ action, document, cursor, context, input: readInput(document, shape) }, http);
    };
}
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
export function connector(functions) {
    return {
        connector: (host) => {
            const http = new Http(host);
            const { actions, verify, check } = functions;
            return {
                actions: {
                    invoke: (call) => after(find(actions, call.action, unknownAction)(ownCall(call), http), receiptOf),
                },
                ...(verify && {
                    verification: {
                        verify: (call) => after(find(verify, call.action, unverifiable)(ownCall(call), http), settlementOf),
                    },
                }),
                ...(check && { connection: { check: (context) => after(check(ownContext(context), http), identityOf) } }),
            };
        },
    };
}
function find(functions, action, missing) {
    const found = Object.hasOwn(functions, action) ? functions[action] : undefined;
    if (found === undefined)
        throw missing(action);
    return found;
}
function unknownAction(action) {
    return Fault.internal(`the plugin has no code for action \`${action}\``).withCode("unknown-action");
}
function unverifiable(action) {
    return Fault.unknownOutcome(`the plugin cannot verify action \`${action}\``).withCode("cannot-verify");
}
function ownCall(call) {
    const document = ownDocument(call.input);
    return {
        action: call.action,
        document,
        // Read when it is asked for, because it may be no JSON.
        get input() {
            return document.json();
        },
        cursor: call.cursor ?? undefined,
        context: ownContext(call.context),
    };
}
function ownContext(context) {
    return {
        ...context,
        readSettings: (shape) => {
            try {
                return read(shape, parseWhatIsRead(context.settings === "" ? "{}" : context.settings), "they do not fit");
            }
            catch (error) {
                if (!(error instanceof Fault))
                    throw error;
                const message = `the settings of connection \`${context.connection}\`: ${error.message}`;
                throw Fault.invalidInput(message).withCode("settings");
            }
        },
    };
}
function receiptOf(given) {
    const receipt = refusePromise(given) instanceof Receipt ? given : new Receipt(given);
    return {
        // An action without an answer of its own, such as a deletion, gives `null`.
        output: wireDocument(documentOf(receipt.output ?? null)),
        externalId: receipt.externalId === undefined ? null : wellFormed(receipt.externalId),
        next: receipt.next === undefined ? null : wellFormed(receipt.next),
        metadata: wirePairs(receipt.metadata),
    };
}
function settlementOf(settlement) {
    switch (settlement.tag) {
        case "happened":
            return { tag: "happened", val: receiptOf(settlement.output) };
        case "absent":
            return { tag: "absent" };
        case "undecided": {
            const { afterMs } = settlement;
            return { tag: "undecided", val: afterMs === undefined ? null : toMillis(afterMs) };
        }
    }
}
function identityOf(identity) {
    const { label, account, baseUrl, settings } = identity;
    return {
        label: wellFormed(label),
        account: account === undefined ? null : wellFormed(account),
        baseUrl: baseUrl === undefined ? null : wellFormed(baseUrl),
        settings: stringify(settings ?? {}),
    };
}
