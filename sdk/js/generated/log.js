import { wellFormed } from "./utf8.js";
let host = {
    // In native tests the lines go to the standard error stream.
    write: (level, message, fields) => console.error(`${level}: ${message} ${fields.map((pair) => pair.join("=")).join(" ")}`),
};
/** Lines go there from now on. */
export function setHost(log) {
    host = log;
}
function write(level, message, fields = {}) {
    const pairs = Object.entries(fields).map(([name, value]) => [
        wellFormed(name),
        wellFormed(String(value)),
    ]);
    host.write(level, wellFormed(message), pairs);
}
/** Lines for whoever looks at the execution. Never log personal data, whole payloads, or anything secret. */
export const log = {
    /** A line for the plugin's author. */
    debug: (message, fields) => write("debug", message, fields),
    /** A line for whoever looks at the execution. */
    info: (message, fields) => write("info", message, fields),
    /** A line about something that is off, while the call goes on. */
    warn: (message, fields) => write("warn", message, fields),
    /** A line about something that failed. */
    error: (message, fields) => write("error", message, fields),
};
