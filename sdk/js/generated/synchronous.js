import { Fault } from "./fault.js";
export function isPromise(value) {
    return typeof value === "object" && value !== null && "then" in value && typeof value.then === "function";
}
/** What is made of a value, as soon as it is there. */
export function after(value, make) {
    return isPromise(value) ? value.then(make) : make(value);
}
/** The value of a function that runs to its end: the host waits for nothing after it. */
export function refusePromise(value) {
    if (!isPromise(value))
        return value;
    // Nobody will ask what becomes of it, and Node.js ends at a failure that nobody asks for.
    value.then(undefined, () => undefined);
    const cure = "leave out `async` and `await`, and send requests by `http`, which waits by itself";
    throw Fault.internal(`a promise was returned, and nothing waits for it: ${cure}`).withCode("promise");
}
