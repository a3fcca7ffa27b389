// Turns a source map (Source Map format, ECMA-426) into what the guest reads when an exception is told: a line of text for
// each line of the bundle, without anything that depends on the lines before it.

const DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/**
 * For each line of the bundle its segments, separated by `,`: column, source, line and column there, all counted from 0 and
 * separated by spaces. Lines are separated by `;`. Of a source that `isLibrary` names, the line alone is kept.
 *
 * @param {string} mappings
 * @param {(source: number) => boolean} isLibrary
 */
export function readableMappings(mappings, isLibrary) {
  const place = { source: 0, line: 0, column: 0 };
  const lines = mappings.split(";").map((line) => {
    let generated = 0;
    /** @type {string[]} */
    const segments = [];
    let last = "";
    for (const segment of line === "" ? [] : line.split(",")) {
      const [step = 0, source, originalLine = 0, originalColumn = 0] = decode(segment);
      generated += step;
      if (source === undefined) continue;
      place.source += source;
      place.line += originalLine;
      place.column += originalColumn;
      const here = `${place.source} ${place.line}`;
      if (isLibrary(place.source) && here === last) continue;
      segments.push(`${generated} ${here} ${place.column}`);
      last = here;
    }
    return segments.join(",");
  });
  return lines.join(";");
}

/**
 * The numbers of a segment: five bits a digit, the sixth says that more follow; of the whole, the first bit is the sign.
 *
 * @param {string} segment
 */
function decode(segment) {
  /** @type {number[]} */
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
