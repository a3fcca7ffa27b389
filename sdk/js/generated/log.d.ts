import type { LogInterface } from "./generated/contract.js";
/** What a line says beside its message. */
export type Fields = Record<string, unknown>;
/** Lines go there from now on. */
export declare function setHost(log: Pick<LogInterface, "write">): void;
/** Lines for whoever looks at the execution. Never log personal data, whole payloads, or anything secret. */
export declare const log: {
    /** A line for the plugin's author. */
    debug: (message: string, fields?: Fields) => void;
    /** A line for whoever looks at the execution. */
    info: (message: string, fields?: Fields) => void;
    /** A line about something that is off, while the call goes on. */
    warn: (message: string, fields?: Fields) => void;
    /** A line about something that failed. */
    error: (message: string, fields?: Fields) => void;
};
