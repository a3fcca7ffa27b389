/** A value, now or later: StarlingMonkey waits for a promise, QuickJS has nothing that could. */
export type Later<T> = T | Promise<T>;
export declare function isPromise<T>(value: Later<T>): value is Promise<T>;
/** What is made of a value, as soon as it is there. */
export declare function after<T, R>(value: Later<T>, make: (value: T) => R): Later<R>;
/** The value of a function that runs to its end: the host waits for nothing after it. */
export declare function refusePromise<T>(value: Later<T>): T;
