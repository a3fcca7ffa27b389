/**
 * A number of JSON that no JavaScript number holds, such as `0.12345678901234567891`. It is written back as it came.
 *
 * It computes as the nearest JavaScript number; compare and store its `text` where that is not enough.
 */
export declare class Num {
    /** As it stands in the JSON text. */
    readonly text: string;
    /** @throws {TypeError} if the text is no number of JSON */
    constructor(text: string);
    /** The nearest JavaScript number. */
    valueOf(): number;
    toString(): string;
}
/**
 * The value of a number's text, in the plainest type that keeps it: a `number` if a double does, a `bigint` if it is whole,
 * else a {@link Num}. Whole numbers beyond 2^53 are always a `bigint`.
 */
export declare function numberOf(text: string): number | bigint | Num;
