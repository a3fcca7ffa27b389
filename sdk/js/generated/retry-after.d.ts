/** The milliseconds that `Retry-After` (RFC 9110, section 10.2.3) says; a date counts from the answer's own `Date`. */
export declare function retryAfterMs(value: string | undefined, date: string | undefined): number | undefined;
