import { Fault } from "./fault.js";

/** The value of a function of a plugin, which runs to its end: the host waits for nothing after it. */
export function refusePromise<T>(value: T): T {
  if (typeof value === "object" && value !== null && "then" in value && typeof value.then === "function") {
    throw Fault.internal("a promise was returned; leave out `async`: requests wait by themselves").withCode("promise");
  }
  return value;
}
