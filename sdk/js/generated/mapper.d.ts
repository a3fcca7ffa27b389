import { type Document } from "./document.js";
import type { MapperInterface, Origin } from "./generated/contract.js";
import { type Shape } from "./shape.js";
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
export declare function mapper<I = unknown, O = Record<never, never>>(map: (mapping: Mapping<I, O>) => unknown, shapes?: MapperShapes<I, O>): Mapper;
export declare function readInput<T>(document: Document, shape: Shape<T>): T;
