import {
  type Document,
  Documents,
  documentOf,
  ownDocument,
  readJson,
  readWhatIsRead,
  wireDocument,
} from "./document.js";
import { Fault } from "./fault.js";
import type { MapperInterface, Origin } from "./generated/contract.js";
import { parseWhatIsRead } from "./json/parse.js";
import { object, read, type Shape } from "./shape.js";
import { refusePromise } from "./synchronous.js";

export type { Origin };

/** One call of a mapper: what to map, where it came from, and what the flow says in this step. */
export interface Mapping<I = unknown, O = Record<never, never>> {
  /** What to map, read as JSON by the shape that the mapper names. */
  readonly input: I;
  /** The same as it came: for input that is no JSON. */
  readonly document: Document;
  /** The event that is being carried. */
  readonly origin: Origin;
  /** The flow's options for this step. */
  readonly options: O;
}

/** What a mapper takes. A shape refuses what does not fit as an `invalid-input` that names the field. */
export interface MapperShapes<I, O> {
  /** Of the input; without it, `input` is whatever the JSON says. */
  input?: Shape<I>;
  /** Of the options; without it, a flow that gives some is told that there are none. */
  options?: Shape<O>;
}

/** What {@link mapper} makes. */
export interface Mapper {
  readonly mapper: MapperInterface;
}

/**
 * Makes a mapper of a function. What it returns goes out as one document of JSON; a `Document` goes out as it is, and
 * `Documents` are none or several.
 *
 * ```ts
 * const Lead = shape.object({ email: shape.text() });
 * export default mapper(({ input }) => ({ address: input.email.toLowerCase() }), { input: Lead });
 * ```
 */
export function mapper<I = unknown, O = Record<never, never>>(
  map: (mapping: Mapping<I, O>) => unknown,
  shapes: MapperShapes<I, O> = {},
): Mapper {
  return {
    mapper: {
      transform(origin, input, options) {
        const document = ownDocument(input);
        const read = { origin, document, options: readOptions(options, shapes.options) };
        const mapping = shapes.input ? { ...read, input: readInput(document, shapes.input) } : lazily<I, O>(read);
        return documentsOf(refusePromise(map(mapping as Mapping<I, O>))).list.map(wireDocument);
      },
    },
  };
}

/** Without a shape the input is read when it is asked for, because it may be no JSON. */
function lazily<I, O>(mapping: Omit<Mapping<I, O>, "input">): Mapping<I, O> {
  return {
    ...mapping,
    get input() {
      return mapping.document.json() as I;
    },
  };
}

export function readInput<T>(document: Document, shape: Shape<T>): T {
  return read(shape, readWhatIsRead(document), "the input does not fit");
}

function readOptions<O>(text: string, shape: Shape<O> | undefined): O {
  try {
    // A flow without options may give none or an empty object.
    const options = text === "" ? {} : readJson(() => parseWhatIsRead(text));
    return read(shape ?? (object({}, "refuse") as unknown as Shape<O>), options, "they do not fit");
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    throw Fault.invalidInput(`the options of this step: ${error.message}`).withCode("options");
  }
}

function documentsOf(given: unknown): Documents {
  if (given instanceof Documents) return given;
  if (given === undefined) {
    throw Fault.internal("the mapper returned nothing; return `Documents.none()` if the event is to go no further");
  }
  return new Documents([documentOf(given)]);
}
