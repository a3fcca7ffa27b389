// From a line of the bundle back to the line that the author wrote, by the table that the build leaves in it. Read only when
// an exception is told, so that a call that goes well pays nothing.
/** A function that names the place of a frame such as `map (bundle.js:12:7)` in the author's words. */
export function locator(map) {
    const lines = map.lines.split(";");
    return (frame) => {
        const [, name = "", line = "", column = ""] = frame.match(/^(.*?)\s*\(?[^\s(]*?:(\d+):(\d+)\)?$/) ?? [];
        const place = placeOf(lines[Number(line) - 1] ?? "", Number(column) - 1);
        const file = place && map.sources[place[1]];
        if (!place || file === undefined)
            return undefined;
        const source = `${file}:${place[2] + 1}:${place[3] + 1}`;
        return name === "" || name === "<anonymous>" ? source : `${name} (${source})`;
    };
}
/** The last segment that begins at or before a column, else the first. */
function placeOf(line, column) {
    const segments = line === "" ? [] : line.split(",").map((segment) => segment.split(" ").map(Number));
    const found = segments.findLast(([begins = 0]) => begins <= column) ?? segments[0];
    return found;
}
