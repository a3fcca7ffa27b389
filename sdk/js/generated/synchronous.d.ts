/** The value of a function of a plugin, which runs to its end: the host waits for nothing after it. */
export declare function refusePromise<T>(value: T): T;
