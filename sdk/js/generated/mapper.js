import { Documents, documentOf, ownDocument, readJson, readWhatIsRead, wireDocument, } from "./document.js";
import { Fault } from "./fault.js";
import { parseWhatIsRead } from "./json/parse.js";
import { object, read } from "./shape.js";
import { refusePromise } from "./synchronous.js";
/**
 * Makes a mapper of a function. What it returns goes out as one document of JSON; a `Document` goes out as it is, and
 * `Documents` are none or several.
 *
 * ```ts
 * const Lead = shape.object({ email: shape.text() });
 * export default mapper(({ input }) => ({ address: input.email.toLowerCase() }), { input: Lead });
 * ```
 */
export function mapper(map, shapes = {}) {
    return {
        mapper: {
            transform(origin, input, options) {
                const document = ownDocument(input);
                const read = { origin, document, options: readOptions(options, shapes.options) };
                const mapping = shapes.input ? { ...read, input: readInput(document, shapes.input) } : lazily(read);
                return documentsOf(refusePromise(map(mapping))).list.map(wireDocument);
            },
        },
    };
}
/** Without a shape the input is read when it is asked for, because it may be no JSON. */
function lazily(mapping) {
    return {
        ...mapping,
        get input() {
            return mapping.document.json();
        },
    };
}
export function readInput(document, shape) {
    return read(shape, readWhatIsRead(document), "the input does not fit");
}
function readOptions(text, shape) {
    try {
        // A flow without options may give none or an empty object.
        const options = text === "" ? {} : readJson(() => parseWhatIsRead(text));
        return read(shape ?? object({}, "refuse"), options, "they do not fit");
    }
    catch (error) {
        if (!(error instanceof Fault))
            throw error;
        throw Fault.invalidInput(`the options of this step: ${error.message}`).withCode("options");
    }
}
function documentsOf(given) {
    if (given instanceof Documents)
        return given;
    if (given === undefined) {
        throw Fault.internal("the mapper returned nothing; return `Documents.none()` if the event is to go no further");
    }
    return new Documents([documentOf(given)]);
}
