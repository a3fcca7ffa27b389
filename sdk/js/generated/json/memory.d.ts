/** How a number was written, with its value, so that a number that has been replaced is told from it. */
export type Written = {
    value: number;
    text: string;
};
/** What is remembered of one object or list. */
export type Memory = {
    /** The keys in their order, where JavaScript has another: it puts those that look like indices first. */
    keys?: string[];
    /** By key or index: numbers that JavaScript would write in another way, such as `1.0`. */
    numbers?: Map<string | number, Written>;
    /** Keys that stand there twice. */
    repeated?: Set<string>;
    /** Somewhere within is half a surrogate pair. */
    hasHalves?: boolean;
};
export declare function remember(container: object, memory: Memory): void;
export declare function recall(container: object): Memory | undefined;
/** How a number of a list or object was written, if it is still there and JavaScript would write it in another way. */
export declare function writtenAs(memory: Memory | undefined, key: string | number, value: unknown): string | undefined;
