/**
 * Writes JSON without spaces. As `JSON.stringify`, but that nothing is lost on the way: a `bigint` and a `Num` are written
 * digit by digit, what was read by `parse` and left where it is is written as it came, and what JSON cannot say is refused
 * instead of becoming `null`.
 *
 * @throws {TypeError} for a number that is none or infinite, and what lies in itself
 */
export declare function stringify(value: unknown): string;
