// From a line of the bundle back to the line that the author wrote, by the source map that the build leaves in it
// (Source Map format, ECMA-426). Read only when an exception is told, so that a call that goes well pays nothing.
const DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
/** A function that names the place of a frame such as `map (bundle.js:12:7)` in the author's words. */
export function locator(map) {
    const lines = map.mappings.split(";");
    return (frame) => {
        const [, name = "", line = "", column = ""] = frame.match(/^(.*?)\s*\(?[^\s(]*?:(\d+):(\d+)\)?$/) ?? [];
        const place = line === "" ? undefined : find(lines, Number(line) - 1, Number(column) - 1);
        if (!place || map.sources[place.source] === undefined)
            return undefined;
        const source = `${map.sources[place.source]}:${place.line + 1}:${place.column + 1}`;
        return name === "" || name === "<anonymous>" ? source : `${name} (${source})`;
    };
}
/** The place of the last segment that begins at or before a column; all but columns count on from line to line. */
function find(lines, line, column) {
    const place = { source: 0, line: 0, column: 0 };
    let found;
    for (const [index, segments] of lines.slice(0, line + 1).entries()) {
        let generated = 0;
        for (const segment of segments === "" ? [] : segments.split(",")) {
            const [step = 0, source, originalLine = 0, originalColumn = 0] = decode(segment);
            generated += step;
            if (source !== undefined) {
                place.source += source;
                place.line += originalLine;
                place.column += originalColumn;
            }
            if (index === line && (generated <= column || !found))
                found = { ...place };
        }
    }
    return found;
}
/** The numbers of a segment: five bits a digit, the sixth says that more follow; of the whole, the first bit is the sign. */
function decode(segment) {
    const numbers = [];
    let value = 0;
    let shift = 0;
    for (const character of segment) {
        const digit = DIGITS.indexOf(character);
        value += (digit & 31) << shift;
        shift += 5;
        if (digit < 32) {
            numbers.push(value & 1 ? -(value >> 1) : value >> 1);
            value = 0;
            shift = 0;
        }
    }
    return numbers;
}
