import { type Json, Num } from "./json/index.js";
/** Reads a value of JSON, or throws a {@link Misfit}. */
export interface Shape<T> {
    /** `text` is how a number was written, where that is another way than JavaScript's. */
    readonly read: (value: Json | undefined, at: string, text?: string) => T;
    /** What is expected, as in `expected a string`. */
    readonly expected: string;
}
/** The type of what a shape reads: `type Lead = Infer<typeof Lead>`. */
export type Infer<S> = S extends Shape<infer T> ? T : never;
/** Reads a value by a shape; what does not fit is an `invalid-input` that names the field. */
export declare function read<T>(shape: Shape<T>, value: Json, context: string): T;
/** Text. */
export declare function text(): Shape<string>;
/** `true` or `false`. */
export declare function boolean(): Shape<boolean>;
/** A number that a JavaScript number holds. */
export declare function number(): Shape<number>;
/** A whole number up to 2^53. */
export declare function integer(): Shape<number>;
/** Any number, without loss: an identifier of 64 bits, an amount of money. */
export declare function exact(): Shape<number | bigint | Num>;
/** Any number as it was written, `1.10` or `1E5`, and written so again wherever it is put. */
export declare function asWritten(): Shape<Num>;
/** Whatever JSON can say. */
export declare function any(): Shape<Json>;
/** One of these texts. */
export declare function oneOf<const T extends string>(...choices: T[]): Shape<T>;
/** The one shape, or else the other. */
export declare function either<A, B>(one: Shape<A>, other: Shape<B>): Shape<A | B>;
/** A list of items of one shape. */
export declare function list<T>(item: Shape<T>): Shape<T[]>;
/** An object whose keys are data: each value has the shape. */
export declare function record<T>(item: Shape<T>): Shape<Record<string, T>>;
/** The shape, or nothing: a missing field and `null` are `undefined`. */
export declare function optional<T>(shape: Shape<T>): Shape<T | undefined>;
/** The shape, or `null`. */
export declare function nullable<T>(shape: Shape<T>): Shape<T | null>;
/** The shape, or this value where the field is missing. */
export declare function withDefault<T>(shape: Shape<T>, missing: T): Shape<T>;
/** What becomes of fields that the shape does not name. */
export type Others = "ignore" | "refuse" | "keep";
type Fields = Record<string, Shape<unknown>>;
type OptionalKeys<F extends Fields> = {
    [K in keyof F]: undefined extends Infer<F[K]> ? K : never;
}[keyof F];
type Flat<T> = {
    [K in keyof T]: T[K];
};
/** The type of an object of these fields: those that may be `undefined` may be left out. */
export type ObjectOf<F extends Fields> = Flat<{
    [K in Exclude<keyof F, OptionalKeys<F>>]: Infer<F[K]>;
} & {
    [K in OptionalKeys<F>]?: Infer<F[K]>;
}>;
/** An object with these fields. Others are left alone unless `others` says something else. */
export declare function object<F extends Fields>(fields: F, others?: "ignore" | "refuse"): Shape<ObjectOf<F>>;
export declare function object<F extends Fields>(fields: F, others: "keep"): Shape<ObjectOf<F> & {
    [key: string]: Json | undefined;
}>;
export {};
