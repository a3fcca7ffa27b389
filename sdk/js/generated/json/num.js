/**
 * A number of JSON that no JavaScript number holds, such as `0.12345678901234567891`. It is written back as it came.
 *
 * It computes as the nearest JavaScript number; compare and store its `text` where that is not enough.
 */
export class Num {
    /** As it stands in the JSON text. */
    text;
    /** @throws {TypeError} if the text is no number of JSON */
    constructor(text) {
        if (!/^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/.test(text))
            throw new TypeError(`\`${text}\` is no JSON number`);
        this.text = text;
    }
    /** The nearest JavaScript number. */
    valueOf() {
        return Number(this.text);
    }
    toString() {
        return this.text;
    }
}
/**
 * The value of a number's text, in the plainest type that keeps it: a `number` if a double does, a `bigint` if it is whole,
 * else a {@link Num}. Whole numbers beyond 2^53 are always a `bigint`.
 */
export function numberOf(text) {
    const number = Number(text);
    if (/^-?\d+$/.test(text))
        return Number.isSafeInteger(number) ? number : BigInt(text);
    return String(number) === text || plainest(text) === plainest(String(number)) ? number : new Num(text);
}
/** Digits and exponent, the same for every way to write a value. */
function plainest(text) {
    const [, sign = "", whole = "", part = "", exponent = "0"] = text.match(/^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/) ?? [];
    if (whole === "")
        return text;
    const digits = (whole + part).replace(/^0+/, "");
    const significant = digits.replace(/0+$/, "");
    if (significant === "")
        return "0";
    return `${sign}${significant}e${Number(exponent) - part.length + digits.length - significant.length}`;
}
